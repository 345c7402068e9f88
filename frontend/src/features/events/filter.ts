import { computed } from 'vue'

import { useQueryState, type QueryChange } from '@/app/project'
import { useTimeRange } from '@/app/timeRange'

import type { EventFilter } from './queries'

export const FIELDS = ['type', 'source', 'subject', 'id', 'producer'] as const
export type Field = (typeof FIELDS)[number]

/** One condition as it is shown, and the change of the query string that drops it. */
export interface Chip {
  field: Field | 'facet' | 'schemaFault'
  label: string
  value: string
  drop: QueryChange
}

/** Splits what was typed into `type:a` parts, facets such as `facet:order:A-1`, and free text. */
export function readSearch(text: string): { fields: Partial<Record<Field, string>>; facets: string[]; q: string } {
  const fields: Partial<Record<Field, string>> = {}
  const facets: string[] = []
  const rest: string[] = []
  for (const word of text.trim().split(/\s+/)) {
    const [, name, value] = /^(\w+):(.+)$/.exec(word) ?? []
    const field = FIELDS.find((known) => known === name)
    if (field && value) fields[field] = value
    else if (name === 'facet' && value?.includes(':')) facets.push(value)
    else if (word) rest.push(word)
  }
  return { fields, facets, q: rest.join(' ') }
}

/** The filter of the events list, kept in the query string. */
export function useEventFilter() {
  const { get, all, set } = useQueryState()
  const range = useTimeRange()
  const filter = computed<EventFilter>(() => ({
    type: get('type'),
    source: get('source'),
    subject: get('subject'),
    id: get('id'),
    producer: get('producer'),
    q: get('q'),
    facet: all('facet'),
    schemaFault: get('schemaFault') === 'true',
    ...range.span.value,
  }))
  const chips = computed<Chip[]>(() => {
    const facets = all('facet')
    return [
      ...FIELDS.filter((field) => get(field)).map((field): Chip => ({ field, label: field, value: get(field), drop: { [field]: null } })),
      ...facets.map((facet): Chip => {
        const [name = '', ...value] = facet.split(':')
        return { field: 'facet', label: name, value: value.join(':'), drop: { facet: facets.filter((other) => other !== facet) } }
      }),
      ...(filter.value.schemaFault ? [{ field: 'schemaFault', label: 'schema fault', value: 'any', drop: { schemaFault: null } } as const] : []),
    ]
  })
  const narrowed = computed(() => chips.value.length > 0 || get('q') !== '')

  function clear(): void {
    set({ type: null, source: null, subject: null, id: null, producer: null, facet: null, schemaFault: null, q: null })
  }
  return { get, set, range, filter, chips, narrowed, clear }
}
