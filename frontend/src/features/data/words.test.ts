import { describe, expect, test } from 'vitest'

import { beginning, goesBefore, leaves, meant, retentionWords, waits } from './words'

const NOW = Date.parse('2026-11-28T12:00:00Z')

describe('what a retention means', () => {
  test('names the day before which events go', () => {
    expect(goesBefore(30, NOW)).toBe('2026-10-29')
    expect(retentionWords(30, null, NOW)).toContain('before 2026-10-29 leave the database')
    expect(retentionWords(30, null, NOW)).toContain('for ever')
    expect(retentionWords(30, 365, NOW)).toContain('until they are 365 days old')
  })
  test('says plainly when they are gone', () => {
    expect(retentionWords(30, 0, NOW)).toContain('they are gone')
    expect(retentionWords(null, null, NOW)).not.toContain('leave')
  })
})

test('a hold says which events it means', () => {
  const all = { type: null, source: null, subject: null, since: null, until: null }
  expect(meant(all)).toBe('every event')
  expect(meant({ ...all, subject: 'mara', since: '2026-01-01T00:00:00Z', until: '2026-02-01T08:30:00Z' })).toBe('subject mara · from 2026-01-01 before 2026-02-01 08:30Z')
})

test('days that wait say why', () => {
  expect(waits({ reason: 'store', days: 1, oldest: '2026-10-01' })).toMatch(/^1 day is over .* of 2026-10-01: the archive does not answer/)
  expect(waits({ reason: 'deliveries', days: 3, oldest: '2026-10-01' })).toMatch(/^3 days are over/)
})

test('an erasure says what it leaves', () => {
  expect(leaves({ held: 0, keptIn: [] })).toBe('')
  expect(leaves({ held: 2, keptIn: [] })).toBe('2 are on hold and stay until that is lifted.')
  expect(leaves({ held: 1, keptIn: ['orders'] })).toBe('1 is on hold and stays until that is lifted. Subscriptions that name the subject go on: orders.')
})

test('a day begins in UTC', () => {
  expect(beginning('2026-10-01')).toBe('2026-10-01T00:00:00Z')
  expect(beginning('')).toBeNull()
})
