import { expect, test } from 'vitest'

import { connectionWords, phasesOf } from './phases'

test('each part begins where the one before it ended, and the longest is named', () => {
  const phases = phasesOf({ dnsMs: 10, connectMs: 20, tlsMs: 30, firstByteMs: 130, bodyMs: 10 })
  expect(phases.map(({ name }) => name)).toEqual(['DNS', 'Connect', 'TLS', 'First byte', 'Body'])
  expect(phases[3]).toEqual({ name: 'First byte', ms: 130, left: 0.3, width: 0.65, longest: true })
  expect(phases.filter(({ longest }) => longest)).toHaveLength(1)
  const last = phases.at(-1)
  expect((last?.left ?? 0) + (last?.width ?? 0)).toBeCloseTo(1)
})

test('parts that did not happen have no bar', () => {
  expect(phasesOf({ dnsMs: null, connectMs: null, tlsMs: null, firstByteMs: 5, bodyMs: 0 }).map(({ name }) => name)).toEqual(['First byte', 'Body'])
  expect(phasesOf({ dnsMs: null, connectMs: null, tlsMs: null, firstByteMs: null, bodyMs: null })).toEqual([])
  expect(phasesOf({ dnsMs: 0, connectMs: 0, tlsMs: null, firstByteMs: null, bodyMs: null }).every(({ left, width }) => left === 0 && width === 0)).toBe(true)
})

test('a connection says whether it was opened for this, whereto, and how it was kept secret', () => {
  expect(connectionWords({ address: '203.0.113.24', tls: 'TLSv1.3', isNew: true })).toBe('new connection to 203.0.113.24, TLS 1.3')
  expect(connectionWords({ address: null, tls: null, isNew: false })).toBe('kept connection')
})
