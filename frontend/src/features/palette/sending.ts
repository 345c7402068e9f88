import { CircleX, History, RotateCw } from '@lucide/vue'

import type { Wanted } from '@/features/replays/wanted'
import type { Subscription } from '@/features/subscriptions/queries'

import type { Hit } from './hits'

type Again = (wanted: Wanted) => unknown

const HOUR_MS = 3_600_000
/** What follows from an action that sends something, or calls it off. */
const note = 'opens a dry run'

/** What can be sent again, or called off, of one subscription. */
export function sendingHitsOf({ id, name, state }: Pick<Subscription, 'id' | 'name' | 'state'>, permissions: string[], again: Again): Hit[] {
  const may = (permission: string) => permissions.includes(permission)
  return [
    ...(may('deliveries:retry') ? [{ id: `retry ${id}`, icon: RotateCw, label: `Retry dead letters of ${name}…`, note, run: () => again({ kind: 'retry', select: { status: 'dead', subscription: id } }) }] : []),
    ...(may('deliveries:retry') && state !== 'disabled'
      ? [{ id: `replay ${id}`, icon: History, label: `Replay to ${name}…`, note, run: () => again({ kind: 'replay', select: { since: new Date(Date.now() - HOUR_MS).toISOString() }, to: id, open: true }) }]
      : []),
    ...(may('deliveries:cancel') ? [{ id: `cancel ${id}`, icon: CircleX, label: `Cancel what waits for ${name}…`, note, run: () => again({ kind: 'cancel', select: { subscription: id } }) }] : []),
  ]
}

/** The same of the whole project. */
export function sendingHits(permissions: string[], again: Again): Hit[] {
  if (!permissions.includes('deliveries:retry')) return []
  return [{ id: 'do retry', icon: RotateCw, label: 'Retry all dead letters…', note, run: () => again({ kind: 'retry', select: { status: 'dead' } }) }]
}
