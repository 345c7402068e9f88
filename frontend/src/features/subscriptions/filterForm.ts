import { readCesql, writeCesql } from '@/lib/cesqlRows'
import type { Dialect, Row } from '@/lib/filterRows'
import { fromRows, incomplete, toRows } from '@/lib/filters'

export type View = 'rows' | 'cesql' | 'cel' | 'json'

/** The one text that these filters are, in that dialect, or null. */
function textOf(filters: Dialect[], dialect: 'sql' | 'cel'): string | null {
  const [only, ...more] = filters
  // Knative's name of `sql`.
  const text = only?.[dialect] ?? (dialect === 'sql' ? only?.cesql : undefined)
  return !more.length && typeof text === 'string' && Object.keys(only ?? {}).length === 1 ? text : null
}

/** Whether these filters were written as CESQL: what is changed in rows is then written as CESQL again. */
export function isCesql(filters: Dialect[]): boolean {
  return textOf(filters, 'sql') !== null && toRows(filters) === null
}

/** The rows that show these filters, or null. */
export function rowsOf(filters: Dialect[]): Row[] | null {
  const text = textOf(filters, 'sql')
  return toRows(filters) ?? (text === null ? null : readCesql(text))
}

/** These filters as CESQL: as it was written, or for rows what they mean; null when there is none. */
export function cesqlOf(filters: Dialect[]): string | null {
  const text = textOf(filters, 'sql')
  if (text !== null) return text
  const rows = toRows(filters)
  return rows && writeCesql(rows.filter((row) => !incomplete(row)))
}

export function celOf(filters: Dialect[]): string | null {
  return filters.length ? textOf(filters, 'cel') : ''
}

/** The filters after a change of rows. Those that are not finished are left out of CESQL, where they would mean something. */
export function withRows(filters: Dialect[], rows: Row[]): Dialect[] {
  if (!isCesql(filters)) return fromRows(rows)
  const finished = rows.filter((row) => !incomplete(row))
  const text = writeCesql(finished)
  if (text === null) return fromRows(finished)
  return text ? [{ sql: text }] : []
}

/** The filters that a text is; an empty one lets everything through. */
export function withText(text: string, dialect: 'sql' | 'cel'): Dialect[] {
  return text.trim() ? [{ [dialect]: text }] : []
}

/** What of these filters can be checked already: rows that are not finished are left out. */
export function finishedOf(filters: Dialect[]): Dialect[] {
  const rows = toRows(filters)
  return rows ? fromRows(rows.filter((row) => !incomplete(row))) : filters
}

/** The view that can show these filters. */
export function viewOf(filters: Dialect[]): View {
  if (rowsOf(filters)) return 'rows'
  if (textOf(filters, 'sql') !== null) return 'cesql'
  return textOf(filters, 'cel') === null ? 'json' : 'cel'
}
