import { expect, test } from 'vitest'

import { causeWords, keyOf, rowsOf, within } from './causes'
import type { DeliveryFilter } from './filter'

const nothing: DeliveryFilter = { status: '', subscription: [], sink: [], type: [], subject: [], statusCode: [], error: '', event: '', replay: '', q: '', since: '', until: '' }
const answered = { status: 'dead' as const, subscription: 'crm', statusCode: 503, error: null }
const refused = { ...answered, statusCode: null, error: 'no connection: Connection refused' }

test('a cause is said in a word and the rest', () => {
  expect(causeWords(answered)).toEqual({ word: '503', rest: 'Service Unavailable' })
  expect(causeWords({ statusCode: 599, error: null })).toEqual({ word: '599', rest: '' })
  expect(causeWords(refused)).toEqual({ word: 'no connection', rest: 'Connection refused' })
  expect(causeWords({ statusCode: null, error: '' })).toEqual({ word: 'not sent', rest: 'no answer' })
})

test('a cause leads to its rows, and keeps what the list was narrowed to', () => {
  expect(rowsOf(answered)).toEqual({ status: 'dead', subscription: ['crm'], statusCode: ['503'], group: null, delivery: null, attempt: null })
  expect(rowsOf(refused)).toMatchObject({ statusCode: ['none'], error: 'no connection: Connection refused' })
  expect(within({ ...nothing, type: ['a'], statusCode: ['5xx'], error: 'pool' }, answered)).toEqual({ ...nothing, type: ['a'], status: 'dead', subscription: ['crm'], statusCode: ['503'], error: 'pool' })
})

test('causes have keys of their own', () => {
  expect(new Set([answered, refused, { ...answered, status: 'retrying' as const }, { ...answered, subscription: 'erp' }].map(keyOf)).size).toBe(4)
})
