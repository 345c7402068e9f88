import { describe, expect, it } from 'vitest'

import { bodyOf, changes, draftOf, faultOf, FRESH } from './draft'
import type { Subscription } from './queries'

const saved = {
  id: '1',
  name: 'crm',
  filters: [{ exact: { type: 'a' } }],
  sink: 'https://crm.dev/',
  delivery: {
    retry: 6, backoffPolicy: 'linear', backoffDelay: 'PT0.2S', backoffMax: 'PT6H', timeout: 'PT5S', retryAfterMax: 'PT0S',
    format: 'json', deadLetterSink: null, ordering: 'partitionkey', maxInFlight: 8, ratePerSecond: 50,
    batchSize: 5,
    headers: { 'x-team': 'billing' },
    ceOverrides: { extensions: { region: 'eu' } },
    replies: false,
  },
  signingSecrets: [],
  signingSecretCount: 1,
  state: 'active',
  stateReason: null,
  version: 1,
  createdAt: '2026-11-23T14:00:00Z',
  auth: null,
  tls: null,
  transform: null,
  updatedAt: '2026-11-23T14:00:00Z',
} as Subscription

describe('draft', () => {
  it('gives back what was saved, and leaves secrets alone', () => {
    const { name, filters, sink, delivery } = saved
    expect(bodyOf(draftOf(saved))).toEqual({ name, filters, sink, delivery })
  })

  it('switches Retry-After off as PT0S and keeps its length for when it is on again', () => {
    const draft = draftOf(saved)
    expect([draft.honour, draft.retryAfterMax]).toEqual([false, '3600'])
    expect(bodyOf({ ...draft, honour: true }).delivery).toMatchObject({ retryAfterMax: 'PT1H' })
  })

  it('replaces or removes secrets only when told', () => {
    expect(bodyOf({ ...FRESH, secrets: ' whsec_a\nwhsec_b ' }).signingSecrets).toEqual(['whsec_a', 'whsec_b'])
    expect(bodyOf({ ...FRESH, secrets: '' }).signingSecrets).toBeNull()
    expect(bodyOf(FRESH)).not.toHaveProperty('signingSecrets')
  })

  it('sends what is no number as it was typed, for the API to name', () => {
    expect(bodyOf({ ...FRESH, retry: 'many', timeout: '-1' }).delivery).toMatchObject({ retry: 'many', timeout: '-1' })
  })

  it('counts changes and finds faults', () => {
    expect(changes({ ...FRESH, retry: '3', filters: [{ exact: { a: 'b' } }] }, FRESH)).toBe(2)
    const faults = [{ pointer: '/delivery/retry', detail: 'must be an integer' }, { pointer: '/filters/0/exact', detail: 'is empty' }]
    expect(faultOf(faults, 'retry')).toBe('must be an integer')
    expect(faultOf(faults, 'filters')).toBe('/0/exact is empty')
    expect(faultOf(faults, 'sink')).toBeUndefined()
  })
})
