import { formatDuration, parseDuration } from '@/lib/durations'
import type { Dialect } from '@/lib/filters'
import type { Fault } from '@/lib/problem'

import type { Subscription, SubscriptionDraft } from './queries'

/** What the form holds: texts, because that is what is typed. Durations are in seconds. */
export interface Draft {
  name: string
  sink: string
  filters: Dialect[]
  retry: string
  backoffPolicy: 'exponential' | 'linear'
  backoffDelay: string
  backoffMax: string
  timeout: string
  honour: boolean
  retryAfterMax: string
  format: 'binary' | 'json'
  deadLetterSink: string
  ordered: boolean
  maxInFlight: string
  ratePerSecond: string
  /** Secrets that shall replace those there are; null leaves them as they are. */
  secrets: string | null
  /** Of `delivery` what the form has no field for: it stays as it is. */
  others: Record<string, unknown>
}

/** The defaults of the API, in the words of the form. */
export const FRESH: Draft = {
  name: '',
  sink: '',
  filters: [],
  retry: '12',
  backoffPolicy: 'exponential',
  backoffDelay: '5',
  backoffMax: '21600',
  timeout: '15',
  honour: true,
  retryAfterMax: '3600',
  format: 'binary',
  deadLetterSink: '',
  ordered: false,
  maxInFlight: '32',
  ratePerSecond: '',
  secrets: null,
  others: {},
}

const seconds = (duration: string) => String(parseDuration(duration) ?? '')

const FIELDS = new Set(['retry', 'backoffPolicy', 'backoffDelay', 'backoffMax', 'timeout', 'retryAfterMax', 'format', 'deadLetterSink', 'ordering', 'maxInFlight', 'ratePerSecond'])

export function draftOf({ name, sink, filters, delivery }: Subscription): Draft {
  const after = seconds(delivery.retryAfterMax)
  return {
    name,
    sink,
    filters: filters as Dialect[],
    retry: String(delivery.retry),
    backoffPolicy: delivery.backoffPolicy,
    backoffDelay: seconds(delivery.backoffDelay),
    backoffMax: seconds(delivery.backoffMax),
    timeout: seconds(delivery.timeout),
    honour: after !== '0',
    retryAfterMax: after === '0' ? FRESH.retryAfterMax : after,
    format: delivery.format,
    deadLetterSink: delivery.deadLetterSink ?? '',
    ordered: delivery.ordering === 'partitionkey',
    maxInFlight: String(delivery.maxInFlight),
    ratePerSecond: delivery.ratePerSecond == null ? '' : String(delivery.ratePerSecond),
    secrets: null,
    others: Object.fromEntries(Object.entries(delivery).filter(([member]) => !FIELDS.has(member))),
  }
}

/** A number as typed; what is none goes to the API as it is, which names the field. */
const number = (text: string) => (text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text))
const duration = (text: string) => {
  const value = number(text)
  return typeof value === 'number' && value >= 0 ? formatDuration(value) : text
}

/** The body of a call that saves the draft. */
export function bodyOf(draft: Draft): SubscriptionDraft {
  const secrets = draft.secrets?.split(/\s+/).filter(Boolean)
  return {
    ...(draft.name.trim() ? { name: draft.name.trim() } : {}),
    sink: draft.sink.trim(),
    filters: draft.filters,
    delivery: {
      ...draft.others,
      retry: number(draft.retry),
      backoffPolicy: draft.backoffPolicy,
      backoffDelay: duration(draft.backoffDelay),
      backoffMax: duration(draft.backoffMax),
      timeout: duration(draft.timeout),
      retryAfterMax: draft.honour ? duration(draft.retryAfterMax) : 'PT0S',
      format: draft.format,
      deadLetterSink: draft.deadLetterSink.trim() || null,
      ordering: draft.ordered ? 'partitionkey' : 'none',
      maxInFlight: number(draft.maxInFlight),
      ratePerSecond: draft.ratePerSecond.trim() ? number(draft.ratePerSecond) : null,
    },
    ...(secrets ? { signingSecrets: secrets.length ? secrets : null } : {}),
  } as SubscriptionDraft
}

/** How many fields differ. */
export function changes(draft: Draft, saved: Draft): number {
  return (Object.keys(saved) as (keyof Draft)[]).filter((key) => JSON.stringify(draft[key]) !== JSON.stringify(saved[key])).length
}

/** What the API said of a field, by the last name of its pointer; filters keep what is below them. */
export function faultOf(faults: Fault[], member: string): string | undefined {
  const fault = faults.find(({ pointer }) => pointer.split('/').includes(member))
  if (!fault) return undefined
  const below = member === 'filters' ? fault.pointer.slice('/filters'.length) : ''
  return `${below} ${fault.detail}`.trim()
}
