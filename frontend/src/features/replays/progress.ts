import type { Replay } from './queries'

export type Counts = Pick<Replay, 'total' | 'opened' | 'skipped' | 'waiting' | 'delivered' | 'failed' | 'cancelled'>

/** How many need nothing more: they arrived, failed, were cancelled, or had changed before their turn. */
export function doneOf({ delivered, failed, cancelled, skipped }: Counts): number {
  return delivered + failed + cancelled + skipped
}

/** How many have not had their turn; null where they were too many to count. */
export function leftOf({ total, opened, skipped }: Counts): number | null {
  return total == null ? null : Math.max(0, total - opened - skipped)
}
