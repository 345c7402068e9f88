import { expect, test } from 'vitest'

import { arrivedIn, polledFrom } from './arrived'

const row = (n: number) => ({ id: `01a208d2-3387-7c3e-9b41-${String(n).padStart(12, '0')}`, event: `01a208d2-33${String(n).padStart(2, '0')}-7c3e-9b41-5f02a7d8e613` })
const rows = [row(9), row(7), row(5)]

test('new is what is not shown yet, also between the rows that are', () => {
  expect(arrivedIn(rows, rows, true)).toBe(0)
  expect(arrivedIn([row(11), row(9), row(8), row(5)], rows, true)).toBe(2)
  // What comes behind the last row is on the next page, unless there is none.
  expect(arrivedIn([row(9), row(3)], rows, true)).toBe(0)
  expect(arrivedIn([row(9), row(3)], rows, false)).toBe(1)
  expect(arrivedIn([row(3)], [], false)).toBe(1)
})

test('a list is looked at again as far as it is shown, a search only for what is newer', () => {
  const at = (of: { event: string }) => new Date(Number.parseInt(of.event.replace('-', '').slice(0, 12), 16)).toISOString()
  expect(polledFrom(rows, true, false)).toBe(at(row(5)))
  expect(polledFrom(rows, false, false)).toBeUndefined()
  expect(polledFrom(rows, true, true)).toBe(at(row(9)))
  expect(polledFrom([], false, true)).toBeUndefined()
  const many = Array.from({ length: 500 }, (_, i) => ({ id: String(i), event: row(i < 400 ? 50 : 10).event }))
  expect(polledFrom(many, true, false)).toBe(at(row(50)))
})
