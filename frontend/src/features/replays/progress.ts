import { count as digits } from '@/lib/text'

import type { Replay } from './queries'

export type Counts = Pick<Replay, 'total' | 'opened' | 'skipped' | 'waiting' | 'delivered' | 'failed' | 'cancelled'>

/** How many need nothing more: they arrived, failed, were cancelled, or had changed before their turn. */
export function doneOf({ delivered, failed, cancelled, skipped }: Counts): number {
  return delivered + failed + cancelled + skipped
}

/** `420 of 1,284`; the number alone where they were too many to count. */
export function progressWords(counts: Counts): string {
  return counts.total == null ? `${digits(doneOf(counts))} done` : `${digits(doneOf(counts))} of ${digits(counts.total)}`
}

/** What came of it: `1,200 delivered, 84 dead again`. */
export function endWords({ delivered, failed, cancelled, skipped }: Counts): string {
  const parts: [number, string][] = [
    [delivered, 'delivered'],
    [failed, 'dead again'],
    [cancelled, 'cancelled'],
    [skipped, 'changed before their turn'],
  ]
  return parts.filter(([n]) => n > 0).map(([n, word]) => `${digits(n)} ${word}`).join(', ') || 'Nothing was left to do'
}

/** How many have not had their turn; null where they were too many to count. */
export function leftOf({ total, opened, skipped }: Counts): number | null {
  return total == null ? null : Math.max(0, total - opened - skipped)
}
