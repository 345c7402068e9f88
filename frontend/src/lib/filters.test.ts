import { describe, expect, it } from 'vitest'

import { newCondition, type Dialect } from './filterRows'
import { fromRows, incomplete, toRows } from './filters'

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
  [{ exact: { type: 'a' } }, { sql: 'INT(itemcount) <= 40' }],
  [{ sql: 'itemcount<=40' }, { sql: 'exists region' }, { sql: "region != 'us'" }],
  [{ any: [{ sql: 'NOT EXISTS region' }, { exact: { region: 'eu' } }] }],
]

describe('rows and JSON', () => {
  it.each(shown.map((filters) => [JSON.stringify(filters), filters] as const))('keeps %s as it is', (_, filters) => {
    const rows = toRows(filters)
    expect(rows).not.toBeNull()
    expect(fromRows(rows ?? [])).toEqual(filters)
  })

  it.each([
    [[{ sql: "type = 'a'" }]],
    [[{ sql: 'a + 1 = 2' }]],
    [[{ cel: "type == 'a'" }]],
    [[{ exact: { type: 'a' } }, { sql: "type = 'a' OR subject = 'b' AND id = 'c'" }]],
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
    expect(incomplete({ ...newCondition('n'), operator: 'most', values: ['4'] })).toBe(false)
    expect(incomplete({ ...newCondition('n'), operator: 'most', values: ['4.5'] })).toBe(true)
    expect(incomplete({ ...newCondition('n'), operator: 'present', values: [] })).toBe(false)
  })

  it('writes CESQL anew only for a row that was changed', () => {
    const [row] = toRows([{ sql: 'itemcount<=40' }]) ?? []
    expect(row).toMatchObject({ operator: 'most', values: ['40'] })
    expect(fromRows(row?.kind === 'condition' ? [{ ...row, values: ['41'] }] : [])).toEqual([{ sql: 'INT(itemcount) <= 41' }])
  })

  it('sends a number that is none as it was typed, for the server to point at', () => {
    expect(fromRows([{ ...newCondition('n'), operator: 'most', values: ['many'] }])).toEqual([{ sql: 'INT(n) <= many' }])
  })
})
