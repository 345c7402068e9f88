import { listDeliveries } from '@/api'
import type { Selection } from '@/components/selection'
import type { Select, Wanted } from '@/features/replays/wanted'
import { gather, type Gathered } from '@/lib/gather'
import type { Status } from '@/lib/status'

import { asked, selectOf, type DeliveryFilter } from './filter'
import type { DeliveryRow } from './queries'

/** How many deliveries the API takes one by one. */
const NAMED = 10_000
const PAGE = 500

/** In which states a delivery can be retried, and in which cancelled. */
const RETRIED: Status[] = ['dead', 'cancelled', 'delivered', 'retrying']
const WAITING: Status[] = ['pending', 'retrying']

/** Why deliveries in this state cannot be retried, or cancelled; nothing where they can. */
export function reasonAgainst(kind: Wanted['kind'], status: Status | ''): string | undefined {
  if (kind === 'cancel' && status && !WAITING.includes(status)) return 'Only what waits can be cancelled'
  if (kind === 'retry' && status === 'pending') return 'They have not been tried yet'
  return undefined
}

/** What the API is asked for in a state of its own choice when the list shows several. */
function withStates(kind: Wanted['kind'], select: Select): Select {
  if (select.status != null) return select
  return { ...select, status: kind === 'cancel' ? WAITING : RETRIED }
}

/** Every delivery that the filter finds, newest first, up to `limit`. */
export const allOf = (project: string, filter: DeliveryFilter, limit: number): Promise<Gathered<DeliveryRow>> =>
  gather((cursor) => listDeliveries({ path: { project }, query: { ...asked(filter), limit: PAGE, cursor } }), limit)

export interface Bulk {
  wanted: Wanted
  /** Only the newest of what matches are in it: there are more than can be named. */
  isCut: boolean
}

/** What is to be asked of a selection; where the API has no words for the filter, its deliveries are named one by one. */
export async function bulkOf(kind: Wanted['kind'], project: string, selection: Pick<Selection, 'all' | 'keys'>, filter: DeliveryFilter): Promise<Bulk> {
  if (!selection.all) return { wanted: { kind, select: { deliveries: [...selection.keys] } }, isCut: false }
  const select = selectOf(filter)
  if (select) return { wanted: { kind, select: withStates(kind, select) }, isCut: false }
  const { rows, isCut } = await allOf(project, filter, NAMED)
  return { wanted: { kind, select: { deliveries: rows.map(({ id }) => id) } }, isCut }
}
