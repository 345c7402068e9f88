import { computed } from 'vue'

import { useQueryState, type QueryChange } from '@/app/project'
import { useTimeRange } from '@/app/timeRange'
import type { Select } from '@/features/replays/wanted'
import { STATUS_WORDS, type Status } from '@/lib/status'

/** What the list is narrowed to, in the words of the API; an empty text or list narrows nothing. */
export interface DeliveryFilter {
  status: Status | ''
  subscription: string[]
  sink: string[]
  type: string[]
  subject: string[]
  /** `503`, `5xx`, or `none` without an answer. */
  statusCode: string[]
  error: string
  event: string
  replay: string
  q: string
  since: string
  until: string
}

export const STATES = Object.keys(STATUS_WORDS) as Status[]
/** Members of the query string that are drawn as chips, and what they are called there. */
const LISTS = { subscription: 'subscription', sink: 'sink', type: 'type', subject: 'subject', statusCode: 'last answer' } as const
const SINGLES = { error: 'error has', event: 'event', replay: 'replay' } as const
const CLEARED: QueryChange = Object.fromEntries([...Object.keys(LISTS), ...Object.keys(SINGLES), 'q'].map((name) => [name, null]))
/** The range of time that holds when the address says nothing. */
export const USUAL = '24h'

/** One condition as it is shown, and the change of the query string that drops it. */
export interface Chip {
  name: string
  label: string
  value: string
  drop: QueryChange
}

/** Splits what was typed into parts such as `type:a` and free text. */
export function readSearch(text: string): { fields: Record<string, string[]>; q: string } {
  const fields: Record<string, string[]> = {}
  const rest: string[] = []
  for (const word of text.trim().split(/\s+/u)) {
    const [, name = '', value] = /^(type|subject|sink|code|event):(.+)$/u.exec(word) ?? []
    if (value) (fields[name === 'code' ? 'statusCode' : name] ??= []).push(value)
    else if (word) rest.push(word)
  }
  return { fields, q: rest.join(' ') }
}

/** The filter as the parameters of the API's list. */
export function asked(filter: DeliveryFilter): Record<string, string | string[]> {
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value.length > 0)) as Record<string, string | string[]>
}

/** Whether it is narrowed by a time with a start and by a state alone: of that the counts by the minute tell. */
export function isPlain(filter: DeliveryFilter): boolean {
  return filter.since !== '' && Object.keys(asked(filter)).every((name) => ['since', 'until', 'status'].includes(name))
}

/** An instant at the beginning of its minute: what is counted by the minute leads to the same rows. */
function wholeMinute(instant: string): string {
  return instant && new Date(Math.floor(Date.parse(instant) / 60_000) * 60_000).toISOString()
}

/** The same as a selection of the API; null where its words do not reach that far. */
export function selectOf(filter: DeliveryFilter): Select | null {
  const { subject, replay, ...rest } = filter
  if (replay) return null
  const subjects = subject.map((value) => ({ exact: { subject: value } }))
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value.length > 0))
  return { ...given, ...(subjects.length && { filters: [{ any: subjects }] }) }
}

/** The filter of the deliveries list, kept in the query string. */
export function useDeliveryFilter() {
  const { get, all, set } = useQueryState()
  const range = useTimeRange(USUAL, { delivery: null, attempt: null })
  const status = computed(() => STATES.find((known) => known === get('status')) ?? '')
  const filter = computed<DeliveryFilter>(() => ({
    status: status.value,
    subscription: all('subscription'),
    sink: all('sink'),
    type: all('type'),
    subject: all('subject'),
    statusCode: all('statusCode'),
    error: get('error'),
    event: get('event'),
    replay: get('replay'),
    q: get('q'),
    since: wholeMinute(range.span.value.since),
    until: range.span.value.until,
  }))
  const chips = computed<Chip[]>(() => [
    ...Object.entries(LISTS).flatMap(([name, label]) => all(name).map((value): Chip => ({ name, label, value, drop: { [name]: all(name).filter((other) => other !== value) } }))),
    ...Object.entries(SINGLES).flatMap(([name, label]): Chip[] => (get(name) ? [{ name, label, value: get(name), drop: { [name]: null } }] : [])),
  ])
  const narrowed = computed(() => chips.value.length > 0 || get('q') !== '')
  const clear = () => {
    set(CLEARED)
  }
  return { get, all, set, range, status, filter, chips, narrowed, clear }
}
