import type { RangeText } from '@/lib/range'

/** Why a list of events is empty. */
export type Emptiness =
  /** A search for text that has not looked through everything. */
  | 'no-match-so-far'
  /** The range ends before anything is kept. */
  | 'past-retention'
  /** Something is asked for, and nothing in the range has it. */
  | 'no-match'
  /** Nothing is asked for but the range, and others may have some. */
  | 'nothing-then'
  /** There was never anything. */
  | 'no-data'

export interface Asked {
  narrowed: boolean
  range: RangeText
  /** The end of the range, empty where it is open. */
  until: string
  /** Before this instant nothing is kept in the database, in milliseconds; null where nobody knows. */
  keptFrom: number | null
  /** A search for text can go on. */
  goesOn: boolean
}

export function emptiness({ narrowed, range, until, keptFrom, goesOn }: Asked): Emptiness {
  if (goesOn) return 'no-match-so-far'
  if (until && keptFrom !== null && Date.parse(until) <= keptFrom) return 'past-retention'
  if (narrowed) return 'no-match'
  return range.since === 'any' && !range.until ? 'no-data' : 'nothing-then'
}

/** The day, in UTC, of the last moment before an instant; empty without one. */
export function dayBefore(until: string): string {
  const at = Date.parse(until)
  return Number.isNaN(at) ? '' : new Date(at - 1).toISOString().slice(0, 10)
}
