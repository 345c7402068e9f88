import { describe, expect, test } from 'vitest'

import { DAY_MS, instantOf, nearness, unusedDays } from './expiry'

const now = Date.parse('2026-11-23T14:36:00Z')
const ago = (days: number) => new Date(now - days * DAY_MS).toISOString()

test('what a choice of an expiry stands for', () => {
  expect(instantOf('30', '', now)).toBe('2026-12-23T14:36:00.000Z')
  expect(instantOf('never', '', now)).toBeNull()
  expect(instantOf('date', '2027-03-02', now)).toBe('2027-03-02T23:59:59.000Z')
  expect(instantOf('date', '', now)).toBeUndefined()
  expect(instantOf('date', '2027-13-02', now)).toBeUndefined()
})

test('an end is marked when it is near, and when it is over', () => {
  const near = (days: number) => nearness({ expiresAt: ago(-days) }, now)
  expect([near(100), near(6), near(-1), nearness({ expiresAt: null }, now)]).toEqual(['far', 'soon', 'over', 'never'])
})

describe('a key is named as unused', () => {
  const key = { expiresAt: null, lastUsedAt: ago(94), createdAt: ago(400), revokedAt: null }
  test('by when it was last used', () => {
    expect(unusedDays(key, now)).toBe(94)
    expect(unusedDays({ ...key, lastUsedAt: ago(29) }, now)).toBeNull()
  })
  test('by when it was made, where it never was', () => {
    expect(unusedDays({ ...key, lastUsedAt: null }, now)).toBe(400)
    expect(unusedDays({ ...key, lastUsedAt: null, createdAt: ago(3) }, now)).toBeNull()
  })
  test('unless it ends by itself', () => {
    expect(unusedDays({ ...key, expiresAt: ago(-1) }, now)).toBeNull()
    expect(unusedDays({ ...key, revokedAt: ago(1) }, now)).toBeNull()
  })
})
