import { listEvents } from '@/api'
import type { Selection } from '@/components/selection'
import type { Select, Wanted } from '@/features/replays/wanted'
import { gather, type Gathered } from '@/lib/gather'

import type { EventFilter, EventRow } from './queries'

/** How many events the API takes one by one. */
const NAMED = 10_000
const PAGE = 500

/** Members of a filter that dialects of a subscription can say. */
const SAID = ['type', 'typePrefix', 'source', 'sourcePrefix', 'subject', 'subjectPrefix', 'id', 'extension', 'since', 'until']

type Dialect = Record<string, unknown>
const anyOf = (all: Dialect[]): Dialect => (all.length === 1 ? (all[0] as Dialect) : { any: all })

/** The filter as a selection of the API, which is frozen when the replay starts; null where its words do not reach that far. */
export function selectOf(filter: EventFilter): Select | null {
  const given = Object.entries(filter).filter(([, value]) => (Array.isArray(value) ? value.length : value != null))
  if (given.some(([name]) => !SAID.includes(name))) return null
  const filters: Dialect[] = []
  for (const name of ['type', 'source', 'subject'] as const) {
    const values = filter[name] ?? []
    if (values.length) filters.push(anyOf(values.map((value) => ({ exact: { [name]: value } }))))
    const prefix = filter[`${name}Prefix`]
    if (prefix) filters.push({ prefix: { [name]: prefix } })
  }
  if (filter.id) filters.push({ exact: { id: filter.id } })
  const extensions = (filter.extension ?? []).map((pair) => [pair.slice(0, pair.indexOf(':')), pair.slice(pair.indexOf(':') + 1)] as const)
  for (const name of new Set(extensions.map(([one]) => one))) {
    filters.push(anyOf(extensions.filter(([one]) => one === name).map(([, value]) => ({ exact: { [name]: value } }))))
  }
  return { ...(filter.since && { since: filter.since }), ...(filter.until && { until: filter.until }), ...(filters.length && { filters }) }
}

/** Every event that the filter finds, newest first, up to `limit`. */
export const allOf = (project: string, filter: EventFilter, limit: number): Promise<Gathered<EventRow>> =>
  gather((cursor) => listEvents({ path: { project }, query: { ...filter, limit: PAGE, cursor } }), limit)

/** What is to be replayed; where the API has no words for the filter, its events are named one by one. */
export async function replayOf(project: string, selection: Pick<Selection, 'all' | 'keys'>, filter: EventFilter): Promise<{ wanted: Wanted; isCut: boolean }> {
  if (!selection.all) return { wanted: { kind: 'replay', select: { events: [...selection.keys] } }, isCut: false }
  const select = selectOf(filter)
  if (select) return { wanted: { kind: 'replay', select }, isCut: false }
  const { rows, isCut } = await allOf(project, filter, NAMED)
  return { wanted: { kind: 'replay', select: { events: rows.map(({ uid }) => uid) } }, isCut }
}
