import { expect, test } from 'vitest'

import { doneOf, leftOf } from './progress'

const counts = { total: 1284, opened: 420, skipped: 4, waiting: 12, delivered: 400, failed: 7, cancelled: 1 }

test('what is done needs nothing more, and what is left has not had its turn', () => {
  expect(doneOf(counts)).toBe(412)
  expect(leftOf(counts)).toBe(860)
  expect(leftOf({ ...counts, total: null })).toBeNull()
  expect(leftOf({ ...counts, total: 100 })).toBe(0)
})
