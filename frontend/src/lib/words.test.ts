import { describe, expect, it } from 'vitest'

import { actualWords, clauseWords, verdictWords } from './words'

describe('words', () => {
  it('names the failing part', () => {
    expect(clauseWords({ exact: { type: 'a' } })).toEqual({ before: 'type is', value: 'a' })
    expect(clauseWords({ any: [{ exact: { type: 'a' } }, { exact: { type: 'b' } }] })).toEqual({ before: 'type is one of', value: 'a, b' })
    expect(clauseWords({ not: { exact: { region: 'us' } } })).toEqual({ before: 'region is not', value: 'us' })
    expect(clauseWords({ any: [{ prefix: { type: 'a' } }, { exact: { id: '1' } }] }).value).toBe('type starts with a or id is 1')
    expect(clauseWords({ not: { prefix: { type: 'a' } } })).toEqual({ before: 'not', value: '(type starts with a)' })
    expect(clauseWords({ sql: 'INT(n) <= 4' })).toEqual({ before: 'n is at most', value: '4' })
    expect(clauseWords({ sql: 'EXISTS n' })).toEqual({ before: 'n', value: 'is present' })
    expect(clauseWords({ sql: "type = 'a'\n  AND id = 'b'" })).toEqual({ before: '', value: "type = 'a' AND id = 'b'" })
    expect(clauseWords({ cel: 'data.total > 100' })).toEqual({ before: '', value: 'data.total > 100' })
  })

  it('says what the event had', () => {
    expect(actualWords('type is a, not b', 'type')).toBe('is a')
    expect(actualWords('subject is missing', 'subject')).toBe('is missing')
    expect(actualWords(null)).toBe('')
  })
})

describe('verdicts', () => {
  const sql = { sql: "type = 'a' AND INT(itemcount) <= 40" }

  it('names the part of an expression that was false, and what it saw', () => {
    expect(verdictWords({ clause: sql, detail: '`INT(itemcount) <= 40` is false: itemcount is 64' })).toEqual({ before: '', value: 'INT(itemcount) <= 40', seen: 'is 64', error: '' })
    expect(verdictWords({ clause: sql, detail: '`a = b` is false: a is 1; b is 2' })?.seen).toBe('a is 1; b is 2')
    expect(verdictWords({ clause: sql, detail: '`FALSE` is false' })?.seen).toBe('is false')
  })

  it('names the part that could not be judged', () => {
    expect(verdictWords({ clause: sql, detail: 'x', error: 'cast error in `INT(itemcount)`: cannot read "n/a" as an integer' })).toEqual({
      before: '',
      value: 'INT(itemcount)',
      seen: '',
      error: 'cannot read "n/a" as an integer',
    })
    expect(verdictWords({ clause: { cel: 'data.total > 1' }, detail: 'error: no such key: total', error: 'no such key: total' })).toMatchObject({ value: 'data.total > 1', error: 'no such key: total' })
  })

  it('says it of dialects and CEL as before', () => {
    expect(verdictWords({ clause: { exact: { type: 'a' } }, detail: 'type is b' })).toEqual({ before: 'type is', value: 'a', seen: 'is b', error: '' })
    expect(verdictWords({ clause: { cel: 'data.total > 100' }, detail: 'data.total is 64' })).toEqual({ before: '', value: 'data.total > 100', seen: 'data.total is 64', error: '' })
    expect(verdictWords({ clause: null, detail: null })).toBeNull()
  })
})
