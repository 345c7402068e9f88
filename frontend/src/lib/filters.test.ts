import { describe, expect, it } from 'vitest'

import { actualWords, clauseWords, fromRows, incomplete, newCondition, toRows, type Dialect } from './filters'

const shown: Dialect[][] = [
  [],
  [{ exact: { type: 'a' } }],
  [{ prefix: { subject: 'orders/' } }, { suffix: { source: '/eu' } }],
  [{ any: [{ exact: { type: 'a' } }, { exact: { type: 'b' } }] }],
  [{ not: { exact: { region: 'us' } } }],
  [{ any: [{ exact: { type: 'a' } }, { prefix: { subject: 'b' } }] }],
  [{ not: { any: [{ exact: { type: 'a' } }, { prefix: { subject: 'b' } }] } }],
  [{ not: { prefix: { type: 'a.' } } }],
  [{ not: { not: { exact: { type: 'a' } } } }],
  [{ not: { any: [{ exact: { type: 'a' } }] } }],
]

describe('rows and JSON', () => {
  it.each(shown.map((filters) => [JSON.stringify(filters), filters] as const))('keeps %s as it is', (_, filters) => {
    const rows = toRows(filters)
    expect(rows).not.toBeNull()
    expect(fromRows(rows ?? [])).toEqual(filters)
  })

  it.each([
    [[{ sql: "type = 'a'" }]],
    [[{ exact: { type: 'a', source: '/b' } }]],
    [[{ all: [{ exact: { type: 'a' } }] }]],
    [[{ any: [{ any: [{ prefix: { type: 'a' } }] }] }]],
    [[{ not: { all: [{ exact: { type: 'a' } }] } }]],
    [[{ exact: { type: 'a' }, prefix: { type: 'b' } }]],
  ])('leaves %j to the JSON editor', (filters) => {
    expect(toRows(filters)).toBeNull()
  })

  it('knows when a row is not finished', () => {
    expect(incomplete(newCondition())).toBe(true)
    expect(incomplete({ ...newCondition(), values: ['a'] })).toBe(false)
    expect(incomplete({ kind: 'group', mode: 'any', conditions: [] })).toBe(true)
  })
})

describe('words', () => {
  it('names the failing part', () => {
    expect(clauseWords({ exact: { type: 'a' } })).toEqual({ before: 'type is', value: 'a' })
    expect(clauseWords({ any: [{ exact: { type: 'a' } }, { exact: { type: 'b' } }] })).toEqual({ before: 'type is one of', value: 'a, b' })
    expect(clauseWords({ not: { exact: { region: 'us' } } })).toEqual({ before: 'region is not', value: 'us' })
    expect(clauseWords({ any: [{ prefix: { type: 'a' } }, { exact: { id: '1' } }] }).value).toBe('type starts with a or id is 1')
    expect(clauseWords({ not: { prefix: { type: 'a' } } })).toEqual({ before: 'not', value: '(type starts with a)' })
  })

  it('says what the event had', () => {
    expect(actualWords('type is a, not b', 'type')).toBe('is a')
    expect(actualWords('subject is missing', 'subject')).toBe('is missing')
    expect(actualWords(null)).toBe('')
  })
})
