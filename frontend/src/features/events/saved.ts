import type { ListSearchesResponse, SaveSearchData } from '@/api'
import type { QueryChange } from '@/app/project'
import type { RangeText } from '@/lib/range'

import { MEMBERS } from './members'
import type { EventFilter } from './queries'

export type SavedSearch = ListSearchesResponse['items'][number]
type SavedQuery = SaveSearchData['body']['query']

/** What is asked for now, as it is saved: a range such as `1h` moves on with the time, instants stay. */
export function savedOf(asked: EventFilter, { since, until }: RangeText): SavedQuery {
  const range = /^\d+[smhd]$/u.test(since) && !until ? { last: since } : { ...(since && since !== 'any' && { since }), ...(until && { until }) }
  return { ...asked, ...(asked.schemaFault != null && { schemaFault: String(asked.schemaFault) === 'true' }), ...range } as SavedQuery
}

/** A saved search as the query string that opens it; what is not in it is taken out of the address. */
export function openedBy({ query }: Pick<SavedSearch, 'query'>): QueryChange {
  const said = (name: string): string | string[] | null => {
    const value = query[name]
    if (Array.isArray(value)) return value.map(String)
    return value == null || typeof value === 'object' ? null : String(value as string | boolean)
  }
  const range = { since: said('last') ?? said('since') ?? 'any', until: said('until') }
  return { ...Object.fromEntries([...MEMBERS.map(({ name }) => name), 'q'].map((name) => [name, said(name)])), ...range, event: null }
}
