export type Operator = 'is' | 'one' | 'not' | 'prefix' | 'suffix'

export const OPERATORS: { value: Operator; label: string }[] = [
  { value: 'is', label: 'is' },
  { value: 'one', label: 'is one of' },
  { value: 'not', label: 'is not' },
  { value: 'prefix', label: 'starts with' },
  { value: 'suffix', label: 'ends with' },
]

export interface Condition {
  kind: 'condition'
  attribute: string
  operator: Operator
  /** More than one only for `one`. */
  values: string[]
}

export interface Group {
  kind: 'group'
  /** `any`: at least one holds; `none`: not one holds. */
  mode: 'any' | 'none'
  conditions: Condition[]
}

export type Row = Condition | Group
export type Dialect = Record<string, unknown>

export function newCondition(attribute = 'type'): Condition {
  return { kind: 'condition', attribute, operator: 'is', values: [''] }
}

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

function condition(dialect: unknown): Condition | null {
  const one = simple(dialect)
  if (one) {
    const operator = one.name === 'exact' ? 'is' : (one.name as Operator)
    return { kind: 'condition', attribute: one.attribute, operator, values: [one.value] }
  }
  if (!plain(dialect) || Object.keys(dialect).length !== 1) return null
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

function conditions(list: unknown): Condition[] | null {
  if (!Array.isArray(list)) return null
  const all = list.map(condition)
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
    const row = condition(dialect) ?? group(dialect)
    if (!row) return null
    rows.push(row)
  }
  return rows
}

function fromCondition({ attribute, operator, values }: Condition): Dialect {
  const value = values[0] ?? ''
  if (operator === 'one' && values.length > 1) return { any: values.map((v) => ({ exact: { [attribute]: v } })) }
  if (operator === 'not') return { not: { exact: { [attribute]: value } } }
  return { [operator === 'prefix' || operator === 'suffix' ? operator : 'exact']: { [attribute]: value } }
}

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
  return !row.attribute || row.values.length === 0 || row.values.some((value) => value === '')
}

export interface Words {
  before: string
  /** The part that an event failed at. */
  value: string
}

const VERBS: Record<string, string> = { exact: 'is', prefix: 'starts with', suffix: 'ends with' }

function phrase(dialect: unknown): string {
  const { before, value } = clauseWords(dialect)
  return `${before} ${value}`.trim()
}

/** A dialect object in words, for a reader: `type is` `com.acme.order.paid`. */
export function clauseWords(dialect: unknown): Words {
  const row = condition(dialect)
  if (row?.operator === 'one') return { before: `${row.attribute} is one of`, value: row.values.join(', ') }
  if (row?.operator === 'not') return { before: `${row.attribute} is not`, value: row.values[0] ?? '' }
  if (!plain(dialect)) return { before: '', value: JSON.stringify(dialect) }
  const [name = '', body] = Object.entries(dialect)[0] ?? []
  if (VERBS[name] && plain(body)) {
    const parts = Object.entries(body).map(([attribute, value]) => [`${attribute} ${VERBS[name] ?? ''}`, String(value)] as const)
    if (parts.length === 1 && parts[0]) return { before: parts[0][0], value: parts[0][1] }
    return { before: '', value: parts.map((part) => part.join(' ')).join(' and ') }
  }
  if (Array.isArray(body) && (name === 'any' || name === 'all')) {
    return { before: '', value: body.map(phrase).join(name === 'any' ? ' or ' : ' and ') }
  }
  if (name === 'not') return { before: 'not', value: `(${phrase(body)})` }
  return { before: '', value: JSON.stringify(dialect) }
}

/** What the event had instead: the part of a verdict's detail before what the clause wanted. */
export function actualWords(detail: string | null | undefined, attribute?: string): string {
  const seen = (detail ?? '').split(/, (?:not|does not|which)\b/)[0] ?? ''
  return attribute && seen.startsWith(`${attribute} is `) ? seen.slice(attribute.length + 1) : seen
}
