import { lineOf, tokenAt, utf16Offset, type Mark } from '@/lib/code'
import type { Dialect } from '@/lib/filterRows'
import type { Fault } from '@/lib/problem'
import { plural } from '@/lib/text'

/** Something the preview found: the part of the text it is about, and what it is. */
export interface Noticed {
  clause: string
  text: string
}

const REASONS: Record<string, string> = {
  cast: 'cannot be read so',
  missingAttribute: 'without this attribute',
  math: 'cannot be reckoned',
  missingFunction: 'call a function that is not there',
}

function reason(kind: string, message: string): string {
  if (kind === 'cast' && message.includes('Integer')) return 'cannot be read as a number'
  if (kind === 'cast' && message.includes('Boolean')) return 'cannot be read as true or false'
  return REASONS[kind] ?? 'end in an error'
}

/** What went wrong with the events of a preview, by the part of the text it went wrong in, most frequent first. */
export function noticesOf(items: { error?: string | null }[]): Noticed[] {
  const counts = new Map<string, { clause: string; reason: string; count: number }>()
  for (const { error } of items) {
    const [, kind, clause, message] = /^(\w+) error in `(.*?)`: (.*)$/su.exec(error ?? '') ?? []
    if (!kind || !clause) continue
    const why = reason(kind, message ?? '')
    const group = counts.get(`${why} ${clause}`) ?? { clause, reason: why, count: 0 }
    counts.set(`${why} ${clause}`, { ...group, count: group.count + 1 })
  }
  const sorted = [...counts.values()].sort((a, b) => b.count - a.count)
  return sorted.map((group) => ({ clause: group.clause, text: `${plural(group.count, 'event')} ${group.reason}` }))
}

export interface Placed {
  detail: string
  mark: Mark | null
}

/** The place that a text of the server names: `(at character 5)`, or `line 1, column 5:` with a caret below. */
export function placeIn(detail: string, text: string): Placed {
  const [first = ''] = detail.split('\n')
  const character = /^(.*) \((?:at )?character (\d+)\)$/u.exec(first)
  const column = /^line (\d+), column (\d+): (.*)$/u.exec(first)
  if (character) return { detail: character[1] ?? '', mark: markAt(text, utf16Offset(text, Number(character[2]) - 1)) }
  if (!column) return { detail: first, mark: null }
  const start = text.split('\n').slice(0, Number(column[1]) - 1).join('\n').length + (Number(column[1]) > 1 ? 1 : 0)
  return { detail: column[3] ?? '', mark: markAt(text, start + utf16Offset(text.slice(start), Number(column[2]) - 1)) }
}

function markAt(text: string, offset: number): Mark {
  const [from, to] = tokenAt(text, offset)
  return { from, to, kind: 'error' }
}

const dialectOf = (filters: Dialect[]) => (filters.length === 1 ? Object.keys(filters[0] ?? {})[0] : undefined)

/** What is said of the one text that the filters are, with its place in it. */
export function placed(faults: Fault[], filters: Dialect[], text: string): { sql: Placed[]; cel: Placed[] } {
  const dialect = dialectOf(filters)
  const said = faults.filter(({ pointer }) => pointer === `/filters/0/${dialect ?? ''}`).map(({ detail }) => placeIn(detail, text))
  return { sql: dialect === 'sql' ? said : [], cel: dialect === 'cel' ? said : [] }
}

/** What is said of anything else in the filters, each with where that is: as a row, or in JSON. */
export function unplacedFaults(faults: Fault[], filters: Dialect[], rows = false): string[] {
  const dialect = dialectOf(filters)
  const whole = dialect === 'sql' || dialect === 'cel' ? `/filters/0/${dialect}` : null
  return faults
    .filter(({ pointer }) => pointer !== whole && /^\/filters(?:\/|$)/u.test(pointer))
    .map(({ pointer, detail }) => {
      const row = rows ? /^\/filters\/(\d+)/u.exec(pointer)?.[1] : undefined
      const where = row ? `Row ${String(Number(row) + 1)}:` : pointer.slice('/filters'.length)
      return `${where} ${detail.split('\n')[0] ?? ''}`.trim()
    })
}

/** Where a mark is, for those who do not see it. */
export function spelled(mark: Mark, text: string): string {
  const begin = text.lastIndexOf('\n', mark.from - 1) + 1
  return `Line ${String(lineOf(text, mark.from) + 1)}, column ${String(mark.from - begin + 1)}`
}
