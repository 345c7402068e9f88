import { isBare, OPERATORS } from './filterRows'
import { toCondition } from './filters'

const isPlain = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

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
  const row = toCondition(dialect)
  if (row) {
    const label = OPERATORS.find(({ value }) => value === row.operator)?.label ?? ''
    return isBare(row.operator) ? { before: row.attribute, value: label } : { before: `${row.attribute} ${label}`, value: row.values.join(', ') }
  }
  if (!isPlain(dialect)) return { before: '', value: JSON.stringify(dialect) }
  const [name = '', body] = Object.entries(dialect)[0] ?? []
  if (VERBS[name] && isPlain(body)) {
    const parts = Object.entries(body).map(([attribute, value]) => [`${attribute} ${VERBS[name] ?? ''}`, String(value)] as const)
    if (parts.length === 1 && parts[0]) return { before: parts[0][0], value: parts[0][1] }
    return { before: '', value: parts.map((part) => part.join(' ')).join(' and ') }
  }
  if (Array.isArray(body) && (name === 'any' || name === 'all')) {
    return { before: '', value: body.map(phrase).join(name === 'any' ? ' or ' : ' and ') }
  }
  if ((name === 'sql' || name === 'cesql' || name === 'cel') && typeof body === 'string') return { before: '', value: body.replace(/\s+/gu, ' ').trim() }
  if (name === 'not') return { before: 'not', value: `(${phrase(body)})` }
  return { before: '', value: JSON.stringify(dialect) }
}

/** What the event had instead: the part of a verdict's detail before what the clause wanted. */
export function actualWords(detail: string | null | undefined, attribute?: string): string {
  const seen = (detail ?? '').split(/, (?:not|does not|which)\b/)[0] ?? ''
  return attribute && seen.startsWith(`${attribute} is `) ? seen.slice(attribute.length + 1) : seen
}

export interface VerdictWords extends Words {
  /** What the event had there. */
  seen: string
  /** Why the clause could not judge the event; empty when it could. */
  error: string
}

/** A verdict that is not a match, for a reader: the part that failed and what it saw; null when it says nothing. */
export function verdictWords({ clause, detail, error }: { clause?: unknown; detail?: string | null; error?: string | null }): VerdictWords | null {
  const text = detail ?? ''
  const wrong = /^(\w+) error in `(.*?)`: (.*?)(?: \([^()]*\))?$/su.exec(error ?? text)
  if (wrong) return { before: '', value: wrong[2] ?? '', seen: '', error: wrong[3] ?? '' }
  if (!clause) return null
  const words = clauseWords(clause)
  if (error) return { ...words, seen: '', error }
  const part = /^`(.*?)` is false(?:: (.*))?$/su.exec(text)
  if (part) return { before: '', value: part[1] ?? '', seen: oneFact(part[2] ?? 'is false'), error: '' }
  return { ...words, seen: actualWords(text, words.before.split(' ')[0]), error: '' }
}

/** `itemcount is 64` beside an expression that names it is `is 64`. */
function oneFact(facts: string): string {
  return facts.includes('; ') ? facts : facts.replace(/^\S+ is /u, 'is ')
}
