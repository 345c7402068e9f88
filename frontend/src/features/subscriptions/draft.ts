import { formatDuration, parseDuration } from '@/lib/durations'
import type { Dialect } from '@/lib/filterRows'
import type { Fault } from '@/lib/problem'

import { authBody, authDraftOf, NO_AUTH, NO_TLS, tlsBody, tlsDraftOf, type AuthDraft, type TlsDraft } from './authDraft'
import type { Subscription, SubscriptionDraft } from './queries'

/** A name and its text, in the order in which they were typed. */
export interface Pair {
  name: string
  value: string
}

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
  batchSize: string
  /** Whether an event in an answer is taken in again. */
  replies: boolean
  headers: Pair[]
  /** Extension attributes that every delivered event gets. */
  extensions: Pair[]
  auth: AuthDraft
  tls: TlsDraft
  /** JSONata; empty sends the event as it is. */
  transform: string
  /** Secrets that shall replace those there are; null leaves them as they are. */
  secrets: string | null
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
  batchSize: '1',
  replies: false,
  headers: [],
  extensions: [],
  auth: NO_AUTH,
  tls: NO_TLS,
  transform: '',
  secrets: null,
}

const seconds = (duration: string) => String(parseDuration(duration) ?? '')

const pairsOf = (given: Record<string, unknown> | null | undefined): Pair[] => Object.entries(given ?? {}).map(([name, value]) => ({ name, value: String(value) }))
const bodyOfPairs = (pairs: Pair[]) => Object.fromEntries(pairs.filter(({ name }) => name.trim()).map(({ name, value }) => [name.trim(), value]))

export function draftOf({ name, sink, filters, delivery, auth, tls, transform }: Subscription): Draft {
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
    batchSize: String(delivery.batchSize),
    replies: delivery.replies,
    headers: pairsOf(delivery.headers),
    extensions: pairsOf(delivery.ceOverrides?.extensions),
    auth: authDraftOf(auth),
    tls: tlsDraftOf(tls),
    transform: transform?.jsonata ?? '',
    secrets: null,
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
      batchSize: number(draft.batchSize),
      replies: draft.replies,
      headers: bodyOfPairs(draft.headers),
      ceOverrides: draft.extensions.length ? { extensions: bodyOfPairs(draft.extensions) } : null,
    },
    auth: authBody(draft.auth),
    tls: tlsBody(draft.tls),
    transform: draft.transform.trim() ? { jsonata: draft.transform } : null,
    ...(secrets ? { signingSecrets: secrets.length ? secrets : null } : {}),
  } as SubscriptionDraft
}

/** How many fields differ. */
export function changes(draft: Draft, saved: Draft): number {
  return (Object.keys(saved) as (keyof Draft)[]).filter((key) => JSON.stringify(draft[key]) !== JSON.stringify(saved[key])).length
}

/** What the API said of a member of the subscription or of its delivery, or of what is below it. */
export function faultOf(faults: Fault[], member: string): string | undefined {
  return faults.find(({ pointer }) => [`/${member}`, `/delivery/${member}`].some((known) => pointer === known || pointer.startsWith(`${known}/`)))?.detail
}
