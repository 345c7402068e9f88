import { expect, it } from 'vitest'

import { dayBefore, emptiness, type Asked } from './empty'

const asked: Asked = { narrowed: false, range: { since: '1h', until: '' }, until: '', keptFrom: null, goesOn: false }

it('has a reason of its own for each way to be empty', () => {
  expect(emptiness(asked)).toBe('nothing-then')
  expect(emptiness({ ...asked, range: { since: 'any', until: '' } })).toBe('no-data')
  expect(emptiness({ ...asked, narrowed: true })).toBe('no-match')
  expect(emptiness({ ...asked, narrowed: true, goesOn: true })).toBe('no-match-so-far')
  const until = '2026-10-24T00:00:00Z'
  const past = { ...asked, narrowed: true, until, keptFrom: Date.parse(until) }
  expect(emptiness(past)).toBe('past-retention')
  expect(emptiness({ ...past, keptFrom: Date.parse(until) - 1 })).toBe('no-match')
})

it('knows the last day of a range', () => {
  expect(dayBefore('2026-01-01T00:00:00Z')).toBe('2025-12-31')
  expect(dayBefore('2026-01-01T00:00:01Z')).toBe('2026-01-01')
  expect(dayBefore('')).toBe('')
})
