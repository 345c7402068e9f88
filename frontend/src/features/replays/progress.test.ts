import { expect, test } from 'vitest'

import { doneOf, endWords, leftOf, progressWords } from './progress'

const counts = { total: 1284, opened: 420, skipped: 4, waiting: 12, delivered: 400, failed: 7, cancelled: 1 }

test('what is done needs nothing more, and what is left has not had its turn', () => {
  expect(doneOf(counts)).toBe(412)
  expect(leftOf(counts)).toBe(860)
  expect(leftOf({ ...counts, total: null })).toBeNull()
  expect(leftOf({ ...counts, total: 100 })).toBe(0)
})

test('how far it is, and what came of it, are said in words', () => {
  expect(progressWords(counts)).toBe('412 of 1,284')
  expect(progressWords({ ...counts, total: null })).toBe('412 done')
  expect(endWords(counts)).toBe('400 delivered, 7 dead again, 1 cancelled, 4 changed before their turn')
  expect(endWords({ ...counts, delivered: 0, failed: 0, cancelled: 0, skipped: 0 })).toBe('Nothing was left to do')
})
