import { expect, test } from 'vitest'

import type { DrySink } from './queries'
import { failingWords, percent, selectionWords, sinkWords, titleOf } from './words'

const sink: DrySink = {
  subscription: '01a208d2-3387-7c3e-9b41-5f02a7d8e613',
  subscriptionName: 'crm-customer',
  sink: 'https://crm.test/',
  count: 1163,
  duplicates: 0,
  leftOut: false,
  state: 'active',
  circuit: 'closed',
  failing: null,
  ratePerSecond: 20,
  seconds: 58,
}

test('the state of a sink says what speaks against it', () => {
  expect(sinkWords(sink, 20)).toEqual({ glyph: 'delivered', text: 'closed' })
  expect(sinkWords({ ...sink, ratePerSecond: 1 }, 20).text).toBe('closed, limit 1/s')
  expect(sinkWords({ ...sink, ratePerSecond: 50 }, null).text).toBe('closed, limit 50/s')
  expect(sinkWords({ ...sink, ratePerSecond: null }, null).text).toBe('closed')
  const failing = { rate: 0.64, of: 20, wouldDie: 51, diesAfter: 'PT5M' }
  expect(sinkWords({ ...sink, circuit: 'halfOpen', failing }, 20)).toEqual({ glyph: 'retrying', text: 'half-open, 64 % fail' })
  expect(sinkWords({ ...sink, failing }, 20).glyph).toBe('error')
  expect(sinkWords({ ...sink, state: 'deleted' }, 20).text).toBe('deleted, gets nothing')
  expect(sinkWords({ ...sink, state: 'paused' }, 20).text).toBe('paused, they wait')
})

test('what fails now is told in numbers', () => {
  const failing = { rate: 0.64, of: 20, wouldDie: 51, diesAfter: 'PT5M' }
  expect(failingWords({ ...sink, failing })).toBe('At 64 %, about 51 of its 1,163 would die again after 5 min.')
  expect(percent(0.002)).toBe('1 %')
})

test('a selection is told in words', () => {
  expect(titleOf({ kind: 'cancel', total: 1 })).toBe('Cancellation of 1 delivery')
  expect(titleOf({ kind: 'retry', total: null })).toBe('Retry of deliveries')
  expect(selectionWords({ deliveries: ['a', 'b'] }, String)).toEqual([['deliveries', '2 chosen']])
  expect(selectionWords({ events: ['a', 'b'], named: 5000, leaveOut: ['c'] }, String)).toEqual([
    ['events', '5,000 chosen'],
    ['left out', '1 subscription'],
  ])
  expect(selectionWords({ status: ['dead'], since: '2026-11-23T14:00:00Z', filters: [{ exact: { type: 'a.b' } }] }, (at) => `at ${at}`)).toEqual([
    ['state', 'Dead letter'],
    ['received from', 'at 2026-11-23T14:00:00Z'],
    ['filter', 'type is a.b'],
  ])
})
