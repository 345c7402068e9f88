import { computed, type ComputedRef } from 'vue'

import { useQueryState, type QueryChange } from '@/app/project'
import { useTimeRange } from '@/app/timeRange'

import { MEMBERS, OUTCOMES, type Outcome, type Read } from './members'
import type { EventFilter } from './queries'

/** One condition as it is shown, and the change of the query string that drops it. */
export interface Chip {
  name: string
  label: string
  verb: string
  value: string
  drop: QueryChange
}

/** What the lists of names know: what a facet is in the data, and what a subscription is called. */
export interface Known {
  pointers: Record<string, string>
  subscriptions: Record<string, string>
}

/** The filter of the events list, kept in the query string. */
export function useEventFilter(known: ComputedRef<Known>) {
  const { get, all, set } = useQueryState()
  const range = useTimeRange('1h')

  /** Everything but the time, as the API takes it. */
  const asked = computed(() => {
    const found: Record<string, string | string[]> = {}
    for (const { name, several } of MEMBERS) {
      const values = all(name)
      if (values.length) found[name] = several ? values : (values[0] ?? '')
    }
    if (get('q')) found.q = get('q')
    return found
  })
  const filter = computed(() => ({ ...asked.value, ...(range.span.value.since ? { since: range.span.value.since } : {}), ...(range.span.value.until ? { until: range.span.value.until } : {}) }) as EventFilter)
  /** What is counted: the same up to the moment at which the range was taken, so that no bar grows while it is read. */
  const counted = computed<EventFilter>(() => ({ ...filter.value, until: filter.value.until ?? new Date(range.taken.value).toISOString() }))

  const chips = computed<Chip[]>(() =>
    MEMBERS.flatMap((member) => {
      const values = all(member.name)
      return values.map((value, i): Chip => {
        const drop = { [member.name]: member.several ? values.filter((other) => other !== value) : null }
        if (member.pair) {
          const [name = '', ...rest] = value.split(':')
          const before = values.findIndex((other) => other.startsWith(`${name}:`))
          const pointer = member.name === 'facet' ? known.value.pointers[name] : undefined
          return { name: member.name, label: pointer ? `data ${pointer}` : name, verb: before < i ? 'or' : member.verb, value: rest.join(':'), drop }
        }
        return { name: member.name, label: member.word, verb: i ? 'or' : member.verb, value: shownValue(member.name, value, known.value), drop }
      })
    }),
  )
  const narrowed = computed(() => chips.value.length > 0 || get('q') !== '')

  /** Adds what was read from the field to what there is, and puts its text in the place of the other. */
  function add({ values, q }: Read): void {
    const change: QueryChange = { q: q || null, event: null }
    for (const [name, value] of values) {
      const several = MEMBERS.find((member) => member.name === name)?.several
      const before = change[name] ?? all(name)
      change[name] = several ? [...new Set([...(Array.isArray(before) ? before : []), value])] : value
    }
    set(change)
  }
  /** Adds a value of a member that may have several, or takes it away. */
  function toggle(name: string, value: string, on: boolean): void {
    const others = all(name).filter((other) => other !== value)
    set({ [name]: on ? [...others, value] : others, event: null })
  }
  function drop(change: QueryChange): void {
    set({ ...change, event: null })
  }
  function clear(): void {
    drop({ q: null, ...Object.fromEntries(MEMBERS.map(({ name }) => [name, null])) })
  }
  return { get, all, set, range, asked, filter, counted, chips, narrowed, add, toggle, drop, clear }
}

export type EventFilterState = ReturnType<typeof useEventFilter>

function shownValue(name: string, value: string, known: Known): string {
  if (name === 'outcome') return (OUTCOMES[value as Outcome] as string | undefined)?.toLowerCase() ?? value
  if (name === 'subscription') return known.subscriptions[value] ?? value
  if (name === 'schemaFault') return value === 'true' ? 'any' : 'none'
  return value
}
