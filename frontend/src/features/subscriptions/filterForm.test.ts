import { describe, expect, it } from 'vitest'

import { newCondition, type Dialect } from '@/lib/filterRows'

import { celOf, cesqlOf, finishedOf, isCesql, rowsOf, viewOf, withRows, withText } from './filterForm'

const dialects: Dialect[] = [{ exact: { type: 'a' } }, { sql: 'INT(n) <= 4' }]
const cesql: Dialect[] = [{ sql: "type='a' and n <= 4" }]
const deep: Dialect[] = [{ any: [{ all: [{ exact: { type: 'a' } }] }] }]

describe('the filter form', () => {
  it('opens what it can show', () => {
    expect([[], dialects, cesql, [{ sql: 'n + 1 = 2' }], [{ cel: 'true' }], deep, [{ cel: 'true' }, { exact: { type: 'a' } }]].map(viewOf)).toEqual(['rows', 'rows', 'rows', 'cesql', 'cel', 'json', 'json'])
  })

  it('knows the name that Knative has for it', () => {
    expect(viewOf([{ cesql: 'n + 1 = 2' }])).toBe('cesql')
    expect(cesqlOf([{ cesql: 'n + 1 = 2' }])).toBe('n + 1 = 2')
  })

  it('shows dialects as CESQL without taking it for theirs', () => {
    expect(cesqlOf(dialects)).toBe("type = 'a'\nAND INT(n) <= 4")
    expect(isCesql(dialects)).toBe(false)
    expect(cesqlOf(deep)).toBeNull()
    expect(celOf(dialects)).toBeNull()
  })

  it('saves rows in the language that they were in', () => {
    const more = { ...newCondition('id'), values: ['7'] }
    expect(withRows(dialects, [...(rowsOf(dialects) ?? []), more])).toEqual([...dialects, { exact: { id: '7' } }])
    expect(withRows(cesql, [...(rowsOf(cesql) ?? []), more])).toEqual([{ sql: "type = 'a'\nAND INT(n) <= 4\nAND id = '7'" }])
    expect(withRows([], [more])).toEqual([{ exact: { id: '7' } }])
  })

  it('leaves rows that are not finished out of CESQL, and out of the check', () => {
    expect(withRows(cesql, [newCondition()])).toEqual([])
    expect(finishedOf([...dialects, { exact: { id: '' } }])).toEqual(dialects)
    expect(finishedOf(deep)).toBe(deep)
  })

  it('takes a text as it is written', () => {
    expect(withText("type='a'\n", 'sql')).toEqual([{ sql: "type='a'\n" }])
    expect(withText('  ', 'cel')).toEqual([])
    expect(rowsOf(withText("type='a'\n", 'sql'))).toHaveLength(1)
  })
})
