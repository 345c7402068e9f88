import { isName, parseCesql, type Expression } from './cesql'
import { isNumeric, type Condition, type Operator, type Row } from './filterRows'

/** Attributes that every event has: only these can be compared without an error for their absence. */
const REQUIRED = new Set(['id', 'source', 'specversion', 'type'])
/** Attributes that are texts; an extension may be a number or a truth value as well. */
const TEXTS = new Set([...REQUIRED, 'subject', 'time', 'datacontenttype', 'dataschema'])
export const COMPARED: Partial<Record<Operator, string>> = { equals: '=', below: '<', most: '<=', least: '>=', above: '>' }
const INT32 = 2 ** 31
/** What `IN` would read as a number or a truth value when the attribute is one. */
const CASTABLE = /^(?:[+-]?\d+|true|false)$/iu

/** A whole number that CESQL can hold, or null. */
export function wholeNumber(text: string): number | null {
  const n = /^-?\d+$/u.test(text.trim()) ? Number(text) : NaN
  return n >= -INT32 && n < INT32 ? n : null
}

class Unwritable extends Error {}

function quote(value: string): string {
  // A backslash before a quote or a wildcard would be read as its escape.
  if (value.includes('\\')) throw new Unwritable()
  return `'${value.replaceAll("'", "\\'")}'`
}
const pattern = (value: string) => quote(value).replace(/[%_]/gu, '\\$&')
const like = (value: string, before: string, after: string) => `'${before}${pattern(value).slice(1, -1)}${after}'`

/**
 * A condition as CESQL. In a group (`guarded`) an absent attribute must not end the whole expression with an error, as
 * CESQL has it, because the dialects look at the next condition then.
 */
function written(condition: Condition, guarded: boolean): string {
  const { attribute, operator, values } = condition
  if (!isName(attribute)) throw new Unwritable()
  if (operator === 'present') return `EXISTS ${attribute}`
  if (operator === 'absent') return `NOT EXISTS ${attribute}`
  if (operator === 'not' && !REQUIRED.has(attribute)) return `(NOT EXISTS ${attribute} OR ${attribute} <> ${quote(values[0] ?? '')})`
  const plain = compared(condition, guarded)
  return guarded && !REQUIRED.has(attribute) ? `(EXISTS ${attribute} AND ${plain})` : plain
}

function compared({ attribute, operator, values }: Condition, guarded: boolean): string {
  const value = values[0] ?? ''
  const sign = COMPARED[operator]
  if (sign) {
    const n = wholeNumber(value)
    // What is no number ends the whole expression with an error, and nothing can ask for that before.
    if (n === null || guarded) throw new Unwritable()
    return `INT(${attribute}) ${sign} ${String(n)}`
  }
  switch (operator) {
    case 'one': {
      const bare = TEXTS.has(attribute) || (!guarded && !values.some((v) => CASTABLE.test(v)))
      return `${bare ? attribute : `STRING(${attribute})`} IN (${values.map(quote).join(', ')})`
    }
    case 'not':
    case 'other':
      return `${attribute} <> ${quote(value)}`
    case 'prefix':
      return `${attribute} LIKE ${like(value, '', '%')}`
    case 'suffix':
      return `${attribute} LIKE ${like(value, '%', '')}`
    default:
      return `${attribute} = ${quote(value)}`
  }
}

function line(row: Row): string {
  if (row.kind === 'condition') return written(row, false)
  const [only, ...more] = row.conditions
  if (!only) throw new Unwritable()
  if (row.mode === 'any' && !more.length) return written(only, false)
  const inner = row.conditions.map((condition) => written(condition, true)).join(' OR ')
  return row.mode === 'any' ? `(${inner})` : `NOT (${inner})`
}

/**
 * The CESQL that lets exactly those events through that the rows do, a line for each row; null when there is none:
 * for a backslash, and for numbers within a group.
 */
export function writeCesql(rows: Row[]): string | null {
  try {
    return rows.map(line).join('\nAND ')
  } catch (error) {
    if (error instanceof Unwritable) return null
    throw error
  }
}

/** A condition alone, as CESQL; null when there is none. */
export function conditionCesql(condition: Condition): string | null {
  return writeCesql([condition])
}

const make = (attribute: string, operator: Operator, ...values: string[]): Condition => ({ kind: 'condition', attribute, operator, values })

function fromPattern(attribute: string, text: string): Condition | null {
  const parts = [...text.matchAll(/\\([%_])|(\\)|([%_])|([^\\%_]+)/gsu)].map(([, escaped, backslash, wild, rest]) => ({ wild: backslash ?? wild, text: escaped ?? rest ?? '' }))
  const wilds = parts.filter(({ wild }) => wild)
  const value = parts.map((part) => part.text).join('')
  if (!value || wilds.length > 1 || (wilds[0] && wilds[0].wild !== '%')) return null
  if (!wilds.length) return make(attribute, 'is', value)
  if (parts.at(-1)?.wild) return make(attribute, 'prefix', value)
  return parts[0]?.wild ? make(attribute, 'suffix', value) : null
}

/** The attribute in `a` or `WRAP(a)`. */
function attributeIn(of: Expression, wrap: string): { name: string; wrapped: boolean } | null {
  if (of.is === 'name') return { name: of.name, wrapped: false }
  const [argument, ...more] = of.is === 'call' && of.name === wrap ? of.args : []
  return argument?.is === 'name' && !more.length ? { name: argument.name, wrapped: true } : null
}

function readComparison(e: Expression & { is: 'binary' }): Condition | null {
  const { operator, left, right } = e
  if (right.is === 'text') {
    if (left.is !== 'name' || right.value === '') return null
    if (operator === '=') return make(left.name, 'is', right.value)
    if (operator === '<>') return make(left.name, REQUIRED.has(left.name) ? 'not' : 'other', right.value)
    return null
  }
  const number = Object.entries(COMPARED).find(([, sign]) => sign === operator)?.[0] as Operator | undefined
  const attribute = attributeIn(left, 'INT')
  if (right.is !== 'number' || !number || !attribute) return null
  return make(attribute.name, number, String(right.value))
}

function readIn({ of, set, negated }: Expression & { is: 'in' }, guarded: boolean): Condition | null {
  const attribute = attributeIn(of, 'STRING')
  const values = set.flatMap((e) => (e.is === 'text' && e.value ? [e.value] : []))
  if (!attribute || negated || values.length < set.length) return null
  const exact = attribute.wrapped || TEXTS.has(attribute.name) || (!guarded && !values.some((v) => CASTABLE.test(v)))
  return exact ? make(attribute.name, values.length > 1 ? 'one' : 'is', ...values) : null
}

/** `NOT EXISTS a OR a <> 'b'`: not, also where there is none. */
function readNot(e: Expression & { is: 'binary' }): Condition | null {
  if (e.operator !== 'OR' || e.left.is !== 'not' || e.left.of.is !== 'exists') return null
  const right = e.right.is === 'binary' ? readComparison(e.right) : null
  return right?.operator === 'other' && right.attribute === e.left.of.name ? { ...right, operator: 'not' } : null
}

/** `EXISTS a AND a = 'b'`: a comparison that an absent attribute cannot bring to an error. */
function readGuarded(e: Expression & { is: 'binary' }): Condition | null {
  if (e.operator !== 'AND' || e.left.is !== 'exists') return null
  const inner = readCondition(e.right, true)
  return inner && inner.attribute === e.left.name && !isNumeric(inner.operator) ? inner : null
}

function readCondition(e: Expression, guarded: boolean): Condition | null {
  if (e.is === 'exists') return make(e.name, 'present')
  if (e.is === 'not' && e.of.is === 'exists' && !e.of.enclosed) return make(e.of.name, 'absent')
  if (e.is === 'in') return readIn(e, guarded)
  if (e.is === 'like') return e.of.is === 'name' && !e.negated ? fromPattern(e.of.name, e.pattern) : null
  if (e.is !== 'binary') return null
  return readComparison(e) ?? readNot(e) ?? readGuarded(e)
}

/** The operands of a chain of one operator; null when another one stands in it without parentheses. */
function chain(e: Expression, operator: string): Expression[] | null {
  if (e.is !== 'binary' || !['AND', 'OR', 'XOR'].includes(e.operator)) return [e]
  if (e.operator !== operator) return e.enclosed ? [e] : null
  const [left, right] = [chain(e.left, operator), chain(e.right, operator)]
  return left && right && [...left, ...right]
}

/** Whether a condition of a group is asked only when its attribute is there. */
const safe = ({ attribute, operator }: Condition) => REQUIRED.has(attribute) || operator === 'present' || operator === 'absent' || operator === 'not'

function readGroup(e: Expression, mode: 'any' | 'none'): Row | null {
  const operands = mode === 'none' && readCondition(e, true) ? [e] : alternatives(e)
  if (!operands) return null
  const conditions: Condition[] = []
  for (const [i, operand] of operands.entries()) {
    const read = readCondition(operand, true)
    const guarded = operand.is === 'binary' && readGuarded(operand) !== null
    // The last of any may end in an error: it is false either way.
    if (!read || isNumeric(read.operator) || !(safe(read) || guarded || (mode === 'any' && i === operands.length - 1))) return null
    conditions.push(read)
  }
  return { kind: 'group', mode, conditions }
}

function alternatives(e: Expression): Expression[] | null {
  if (e.is !== 'binary' || e.operator !== 'OR') return [e]
  // `NOT EXISTS a OR a <> 'b'` in parentheses is one condition, not two.
  const side = (part: Expression) => (part.enclosed && readCondition(part, true) ? [part] : chain(part, 'OR') && alternatives(part))
  const [left, right] = [side(e.left), side(e.right)]
  return left && right && [...left, ...right]
}

function readRow(e: Expression): Row | null {
  const condition = readCondition(e, false)
  if (condition) return condition
  if (e.is === 'not' && e.of.enclosed) return readGroup(e.of, 'none')
  if (e.is !== 'binary' || e.operator !== 'OR') return null
  const group = readGroup(e, 'any')
  if (group) return group
  // `a = 'x' OR a = 'y'` needs no guard: where a is absent, both say no.
  const all = chain(e, 'OR')?.map((part) => readCondition(part, true)) ?? []
  const [first] = all
  return first && all.every((c) => c?.operator === 'is' && c.attribute === first.attribute) ? make(first.attribute, 'one', ...all.flatMap((c) => c?.values ?? [])) : null
}

/** The rows that let exactly those events through that a CESQL text does; null when rows cannot say it. */
export function readCesql(text: string): Row[] | null {
  if (!text.trim()) return []
  const whole = parseCesql(text)
  const parts = whole && chain(whole, 'AND')
  // A top that is one `OR` is a chain of another operator, and still a row.
  const operands = parts ?? (whole?.is === 'binary' && whole.operator === 'OR' ? [whole] : null)
  if (!operands) return null
  const rows = operands.map(readRow)
  return rows.every((row) => row !== null) ? rows : null
}
