import { COMPARED, conditionCesql, readCesql, wholeNumber } from './cesqlRows'
import { isBare, isNumeric, type Condition, type Dialect, type Group, type Operator, type Row } from './filterRows'

const plain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The attribute and value of `{"exact": {"type": "a"}}` and its like; null for anything else. */
function simple(dialect: unknown): { name: string; attribute: string; value: string } | null {
  if (!plain(dialect)) return null
  const [[name, body] = [], ...more] = Object.entries(dialect)
  if (more.length || (name !== 'exact' && name !== 'prefix' && name !== 'suffix') || !plain(body)) return null
  const [[attribute, value] = [], ...others] = Object.entries(body)
  if (others.length || attribute === undefined || typeof value !== 'string') return null
  return { name, attribute, value }
}

/** The one condition that a dialect object is, or null. */
export function toCondition(dialect: unknown): Condition | null {
  const one = simple(dialect)
  if (one) {
    const operator = one.name === 'exact' ? 'is' : (one.name as Operator)
    return { kind: 'condition', attribute: one.attribute, operator, values: [one.value] }
  }
  if (!plain(dialect) || Object.keys(dialect).length !== 1) return null
  if (typeof dialect.sql === 'string') return fromSql(dialect.sql)
  const negated = simple(dialect.not)
  if (negated?.name === 'exact') {
    return { kind: 'condition', attribute: negated.attribute, operator: 'not', values: [negated.value] }
  }
  if (!Array.isArray(dialect.any) || dialect.any.length < 2) return null
  const choices = dialect.any.map(simple)
  const attribute = choices[0]?.attribute
  if (attribute === undefined || !choices.every((c) => c?.name === 'exact' && c.attribute === attribute)) return null
  return { kind: 'condition', attribute, operator: 'one', values: choices.map((c) => c?.value ?? '') }
}

/** A condition of which only CESQL can speak; what the dialects can say stays as it was written. */
function fromSql(text: string): Condition | null {
  const [row, ...more] = readCesql(text) ?? []
  if (row?.kind !== 'condition' || more.length || !needsCesql(row)) return null
  return { ...row, kept: { sql: text } }
}

const needsCesql = ({ operator }: Condition) => isNumeric(operator) || isBare(operator) || operator === 'other'

function conditions(list: unknown): Condition[] | null {
  if (!Array.isArray(list)) return null
  const all = list.map(toCondition)
  return all.every((c) => c !== null) ? all : null
}

function group(dialect: Dialect): Group | null {
  if (Object.keys(dialect).length !== 1) return null
  if ('any' in dialect) {
    const inner = conditions(dialect.any)
    return inner && { kind: 'group', mode: 'any', conditions: inner }
  }
  if (!plain(dialect.not)) return null
  const inner = 'any' in dialect.not ? conditions(dialect.not.any) : conditions([dialect.not])
  return inner && { kind: 'group', mode: 'none', conditions: inner }
}

/** The rows that show these filters, or null where rows cannot: then they are edited as JSON. */
export function toRows(filters: Dialect[]): Row[] | null {
  const rows: Row[] = []
  for (const dialect of filters) {
    const row = toCondition(dialect) ?? group(dialect)
    if (!row) return null
    rows.push(row)
  }
  return rows
}

function fromCondition({ kept, ...condition }: Condition): Dialect {
  const { attribute, operator, values } = condition
  const value = values[0] ?? ''
  if (needsCesql(condition)) {
    if (kept && typeof kept.sql === 'string' && sameCondition(readCesql(kept.sql)?.[0], condition)) return kept
    // What is not finished yet, or cannot be written, goes to the server as it was typed: it says what is wrong.
    return { sql: conditionCesql(condition) ?? `${isNumeric(operator) ? `INT(${attribute}) ${COMPARED[operator] ?? ''} ${value}` : `${attribute} <> '${value}'`}` }
  }
  if (operator === 'one' && values.length > 1) return { any: values.map((v) => ({ exact: { [attribute]: v } })) }
  if (operator === 'not') return { not: { exact: { [attribute]: value } } }
  return { [operator === 'prefix' || operator === 'suffix' ? operator : 'exact']: { [attribute]: value } }
}

const sameCondition = (row: Row | undefined, condition: Condition) => JSON.stringify(row) === JSON.stringify(condition)

/** The array of the CloudEvents Subscriptions API that these rows stand for: all of its entries must hold. */
export function fromRows(rows: Row[]): Dialect[] {
  return rows.map((row) => {
    if (row.kind === 'condition') return fromCondition(row)
    const inner = row.conditions.map(fromCondition)
    if (row.mode === 'any') return { any: inner }
    return { not: inner.length === 1 && row.conditions[0]?.operator !== 'is' && !('any' in (inner[0] ?? {})) ? inner[0] : { any: inner } }
  })
}

/** Whether a condition still lacks a part; such a one is left out of the check. */
export function incomplete(row: Row): boolean {
  if (row.kind === 'group') return row.conditions.length === 0 || row.conditions.some(incomplete)
  if (!row.attribute) return true
  if (isBare(row.operator)) return false
  if (isNumeric(row.operator)) return wholeNumber(row.values[0] ?? '') === null
  return row.values.length === 0 || row.values.some((value) => value === '')
}
