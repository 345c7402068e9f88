import { expect, test } from 'vitest'

import { CAPACITY, glance, nextRate, rates, roundUp, TailBuffer, type EventLine } from './buffer'

const NOW = 1_790_000_120_000

function event(ms: number): EventLine {
  return { is: 'event', key: String(ms), uid: String(ms), receivedAt: '', ms, type: 't', source: '/s', subject: '', values: [], text: '', outcome: null, raw: '{}' }
}
const gap = (count: number, key = 'g') => ({ is: 'gap' as const, key, ms: NOW, count, text: '' })

test('memory is bounded, and the newest stay', () => {
  const buffer = new TailBuffer()
  for (let i = 0; i < 3 * CAPACITY; i++) buffer.add(event(NOW + i))
  expect(buffer.lines.length).toBeLessThanOrEqual(CAPACITY + 1000)
  expect(buffer.lines.at(-1)?.key).toBe(String(NOW + 3 * CAPACITY - 1))
  expect(buffer.shown).toBe(3 * CAPACITY)
})

test('gaps in a row are one', () => {
  const buffer = new TailBuffer()
  buffer.add(event(NOW))
  buffer.drop(gap(3), NOW, NOW)
  buffer.drop(gap(4, 'h'), NOW + 1000, NOW + 1000)
  buffer.add(event(NOW + 2000))
  expect(buffer.lines.map((line) => (line.is === 'gap' ? line.count : 'event'))).toEqual(['event', 7, 'event'])
})

test('rates are of full seconds, and what was dropped is of all', () => {
  const buffer = new TailBuffer()
  for (let second = 1; second <= 10; second++) for (let n = 0; n < 25; n++) buffer.add(event(NOW - second * 1000))
  buffer.drop(gap(20), NOW - 4000, NOW - 3000)
  buffer.drop(gap(5), NOW - 100_000, NOW - 100_000)
  for (let n = 0; n < 99; n++) buffer.add(event(NOW))
  expect(rates(buffer.history(NOW))).toEqual({ match: 27, shown: 25, dropped: 25 })
  expect(buffer.history(NOW + 3_600_000).every(({ shown }) => shown === 0)).toBe(true)
})

test('a glance shows facets, else scalars, else the data', () => {
  expect(glance({ amount: 3, ok: true }, { other: 1 })).toEqual({ values: [['amount', '3'], ['ok', 'true']], text: '' })
  expect(glance(null, { a: 'x', nested: { b: 1 }, c: null })).toEqual({ values: [['a', 'x'], ['c', 'null']], text: '' })
  expect(glance({}, 'a text')).toEqual({ values: [], text: 'a text' })
  expect(glance(null, [1, 2])).toEqual({ values: [], text: '[1,2]' })
  expect(glance(null, undefined)).toEqual({ values: [], text: '' })
})

test('limits are raised in steps, and axes end at round numbers', () => {
  expect([nextRate(25), nextRate(30), nextRate(1000)]).toEqual([50, 50, null])
  expect([0, 7, 33, 45, 130, 1000].map(roundUp)).toEqual([1, 8, 40, 50, 150, 1000])
})
