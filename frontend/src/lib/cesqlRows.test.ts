import { describe, expect, it } from 'vitest'

import cases from './cesql.cases.json'
import { dataIn, parseCesql } from './cesql'
import { readCesql, writeCesql } from './cesqlRows'
import { isBare, isNumeric, OPERATORS, type Condition, type Row } from './filterRows'
import { fromRows, toRows } from './filters'

describe('rows and CESQL', () => {
  it.each(cases.map(({ filters, cesql }) => [cesql, filters] as const))('writes %s, and reads it back', (cesql, filters) => {
    const rows = toRows(filters)
    expect(writeCesql(rows ?? [])).toBe(cesql)
    expect(fromRows(readCesql(cesql) ?? [])).toEqual(filters)
  })

  it('gives back any rows it can write', () => {
    const random = generator(20_261_127)
    for (let i = 0; i < 2000; i++) {
      const rows = Array.from({ length: 1 + random(4) }, () => anyRow(random))
      const text = writeCesql(rows)
      if (text === null) {
        expect(rows.some((row) => row.kind === 'group' && row.conditions.some(({ operator }) => isNumeric(operator)))).toBe(true)
        continue
      }
      const read = readCesql(text)
      expect(read, text).not.toBeNull()
      // A group of one is that one, and a list of one value is that value.
      expect(writeCesql(read ?? []), text).toBe(writeCesql(rows.flatMap(settled)))
    }
  })

  it.each([
    "type='a' and SUBJECT like 'x%'",
    "type IN ('a', \"b\")",
    "(type = 'a') AND ((id = 'b'))",
    "NOT (type = 'a')",
    "type = 'a' OR subject = 'b'",
    "n >= -5 AND INT(n) < 7",
    "region = 'eu' OR region = 'ch'",
    "STRING(n) IN ('1', '2')",
  ])('reads %s', (text) => {
    expect(readCesql(text)).not.toBeNull()
  })

  it.each([
    // Without a subject this is an error and no match, while rows would go on to the type.
    "subject = 'b' OR type = 'a'",
    "NOT (subject = 'a')",
    "type = 'a' OR id = 'b' AND source = 'c'",
    "type = 'a' XOR id = 'b'",
    "n IN ('1', '2')",
    'n + 1 = 2',
    "type LIKE 'a_c'",
    "type LIKE 'a%c'",
    "LOWER(type) = 'a'",
    "type = ''",
    'n <= 3000000000000',
    'type = id',
    "data.total > 1",
    "type = 'a",
    '(',
    'n = 5 AND (INT(n) < 4 OR type = \'a\')',
    "type = 'a' AND",
  ])('leaves %s to the text', (text) => {
    const rows = readCesql(text)
    if (rows) expect(writeCesql(rows)).toBeNull()
    else expect(rows).toBeNull()
  })

  it('does not write what a backslash would change', () => {
    expect(writeCesql([condition('type', 'prefix', 'a\\')])).toBeNull()
  })

  it('is not brought down by depth', () => {
    expect(readCesql(`${'('.repeat(10_000)}type = 'a'`)).toBeNull()
    expect(readCesql(`${'NOT '.repeat(10_000)}TRUE`)).toBeNull()
  })
})

describe('the grammar', () => {
  it('binds as the specification says', () => {
    expect(parseCesql('NOT a = b')).toMatchObject({ is: 'binary', left: { is: 'not' } })
    expect(parseCesql('1 + 2 * 3 < 4 AND true')).toMatchObject({ operator: 'AND', left: { operator: '<', left: { operator: '+' } } })
    expect(parseCesql('a OR b AND c')).toMatchObject({ operator: 'AND', left: { operator: 'OR' } })
    expect(parseCesql('-5')).toEqual({ is: 'number', value: -5 })
    expect(parseCesql("CONCAT_WS('-', a)")).toMatchObject({ is: 'call', name: 'CONCAT_WS' })
    expect(parseCesql("'it\\'s'")).toEqual({ is: 'text', value: "it's" })
  })

  it('sees where data is meant', () => {
    expect(dataIn("type = 'a' AND data.total > 100")).toEqual([15, 25])
    expect(dataIn("data['total'] > 1")).toEqual([0, 5])
    expect(dataIn("subject = 'data.total'")).toBeNull()
    expect(dataIn("mydata = 'x' AND EXISTS dataschema")).toBeNull()
  })
})

function condition(attribute: string, operator: Condition['operator'], ...values: string[]): Condition {
  return { kind: 'condition', attribute, operator, values }
}

/** Numbers below `n`, the same ones every time. */
function generator(seed: number): (n: number) => number {
  let state = seed
  return (n) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * n)
  }
}

const NAMES = ['type', 'source', 'subject', 'region', 'itemcount', 'partitionkey', 'in1']
const VALUES = ['a', "it's", '100%', 'a_b', '5', 'true', 'orders/A-', 'ä€😀', ' x ', '"', '%']

function anyCondition(random: (n: number) => number): Condition {
  const pick = <T>(list: readonly T[]) => list[random(list.length)] as T
  const operator = pick(OPERATORS).value
  if (isBare(operator)) return condition(pick(NAMES), operator)
  if (isNumeric(operator)) return condition(pick(NAMES), operator, String(random(100) - 50))
  const values = operator === 'one' ? [pick(VALUES), pick(VALUES), pick(VALUES)] : [pick(VALUES)]
  return condition(pick(NAMES), operator, ...values)
}

function anyRow(random: (n: number) => number): Row {
  if (random(3)) return anyCondition(random)
  return { kind: 'group', mode: random(2) ? 'any' : 'none', conditions: Array.from({ length: 1 + random(3) }, () => anyCondition(random)) }
}

/** The rows as they are read back. */
function settled(row: Row): Row[] {
  if (row.kind === 'condition' || row.mode === 'none' || row.conditions.length > 1) return [row]
  return row.conditions
}
