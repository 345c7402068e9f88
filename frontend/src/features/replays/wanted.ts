import type { StartReplayData } from '@/api'
import type { Status } from '@/lib/status'
import { count as digits } from '@/lib/text'

type StartReplay = StartReplayData['body']
export type Select = StartReplay['select']

/**
 * What somebody asked for; `ReplayDialog` shows what it comes to and starts it:
 *
 *     const wanted = ref<Wanted | null>(null)
 *     <ReplayDialog v-model="wanted" />
 *     wanted.value = { kind: 'retry', select: { status: 'dead' } }
 *
 * `select` is the API's own. `retry` opens deliveries again as they are, `cancel` ends those that wait, and `replay` asks
 * where to: the subscriptions that had them, another one, or an address.
 */
export interface Wanted {
  kind: 'retry' | 'replay' | 'cancel'
  select: Select
  /** For a replay: the id of the subscription that it begins with. */
  to?: string
  /** Lets one change the range of time and the type in the dialog. */
  open?: boolean
}

/** Where a replay goes: to the subscriptions that had the events, to the one of this id, or to an address. */
export interface Target {
  where: 'same' | 'subscription' | 'address'
  subscription: string
  address: string
}

/** Deliveries in these states have ended, and can be opened again. */
const ENDED: Status[] = ['dead', 'cancelled', 'delivered']

/** The API's `to`; null for deliveries that are opened again, undefined while nobody has said where to. */
export function toOf(kind: Wanted['kind'], { where, subscription, address }: Target): string | null | undefined {
  if (kind !== 'replay' || where === 'same') return null
  return (where === 'subscription' ? subscription : address.trim()) || undefined
}

/** The selection as it is asked for; to the same subscriptions it is of deliveries, which needs their states. */
export function selectOf(kind: Wanted['kind'], select: Select, to: string | null): Select {
  const named = select.delivery ?? select.deliveries ?? select.event ?? select.events ?? select.status
  if (kind !== 'replay' || to !== null || named != null) return select
  return { ...select, status: ENDED }
}

const statesOf = ({ status }: Select) => (status == null ? [] : Array.isArray(status) ? status : [status])

/** `1,284 dead letters`; the name alone while nothing is counted. */
export function things(kind: Wanted['kind'], select: Select, n?: number, exact = true): string {
  const states = statesOf(select)
  const dead = kind === 'retry' && states.length === 1 && states[0] === 'dead'
  const [one, many] = dead ? ['dead letter', 'dead letters'] : ['delivery', 'deliveries']
  if (n === undefined) return many
  return `${exact ? '' : 'over '}${digits(n)} ${n === 1 ? one : many}`
}

export const VERBS: Record<Wanted['kind'], string> = { retry: 'Retry', replay: 'Replay', cancel: 'Cancel' }
