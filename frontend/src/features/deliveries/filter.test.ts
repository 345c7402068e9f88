import { expect, test } from 'vitest'

import { asked, isPlain, readSearch, selectOf, type DeliveryFilter } from './filter'

const nothing: DeliveryFilter = { status: '', subscription: [], sink: [], type: [], subject: [], statusCode: [], error: '', event: '', replay: '', q: '', since: '', until: '' }

test('what is typed is parts with a name, and text', () => {
  expect(readSearch('pool type:a.b code:503 exhausted code:5xx')).toEqual({ fields: { type: ['a.b'], statusCode: ['503', '5xx'] }, q: 'pool exhausted' })
  expect(readSearch('http://a.test/x:y')).toEqual({ fields: {}, q: 'http://a.test/x:y' })
})

test('only what narrows is asked', () => {
  expect(asked(nothing)).toEqual({})
  expect(asked({ ...nothing, status: 'dead', type: ['a'], since: 's' })).toEqual({ status: 'dead', type: ['a'], since: 's' })
})

test('counts by the minute tell of a time and a state alone', () => {
  expect(isPlain({ ...nothing, since: 's', status: 'dead' })).toBe(true)
  expect(isPlain({ ...nothing, status: 'dead' })).toBe(false)
  expect(isPlain({ ...nothing, since: 's', type: ['a'] })).toBe(false)
})

test('a filter is a selection as far as its words reach', () => {
  expect(selectOf({ ...nothing, status: 'dead', subscription: ['id'], statusCode: ['5xx', 'none'], subject: ['orders/1'], q: 'pool', since: 's' })).toEqual({
    status: 'dead',
    subscription: ['id'],
    statusCode: ['5xx', 'none'],
    q: 'pool',
    filters: [{ any: [{ exact: { subject: 'orders/1' } }] }],
    since: 's',
  })
  expect(selectOf({ ...nothing, subject: ['a', 'b'] })).toEqual({ filters: [{ any: [{ exact: { subject: 'a' } }, { exact: { subject: 'b' } }] }] })
  expect(selectOf(nothing)).toEqual({})
  expect(selectOf({ ...nothing, replay: 'id' })).toBeNull()
})
