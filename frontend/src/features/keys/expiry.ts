import type { KeyRow } from './queries'

export const DAY_MS = 86_400_000
/** So many days before its end a key's expiry is marked. */
const SOON_DAYS = 14
/** A key that was not used for so long, and has no end, is named. */
export const UNUSED_DAYS = 30

export type Term = '30' | '90' | '365' | 'date' | 'never'

export const TERMS: { value: Term; label: string }[] = [
  { value: '30', label: 'in 30 days' },
  { value: '90', label: 'in 90 days' },
  { value: '365', label: 'in a year' },
  { value: 'date', label: 'on a day…' },
  { value: 'never', label: 'never' },
]

/** The instant that a choice stands for, null for never; undefined while a day is still to be chosen. */
export function instantOf(term: Term, date: string, now: number): string | null | undefined {
  if (term === 'never') return null
  if (term !== 'date') return new Date(now + Number(term) * DAY_MS).toISOString()
  // The end of that day in UTC, so that the day itself still counts.
  const at = /^\d{4}-\d\d-\d\d$/.test(date) ? Date.parse(`${date}T23:59:59Z`) : Number.NaN
  return Number.isNaN(at) ? undefined : new Date(at).toISOString()
}

/** How near a key's end is. */
export function nearness({ expiresAt }: Pick<KeyRow, 'expiresAt'>, now: number): 'never' | 'far' | 'soon' | 'over' {
  if (expiresAt === null) return 'never'
  const left = Date.parse(expiresAt) - now
  if (left <= 0) return 'over'
  return left < SOON_DAYS * DAY_MS ? 'soon' : 'far'
}

/** Whole days since a key was last used, or since it was made; null where it is used, or will end by itself. */
export function unusedDays(key: Pick<KeyRow, 'expiresAt' | 'lastUsedAt' | 'createdAt' | 'revokedAt'>, now: number): number | null {
  if (key.expiresAt !== null || key.revokedAt !== null) return null
  const days = Math.floor((now - Date.parse(key.lastUsedAt ?? key.createdAt)) / DAY_MS)
  return days >= UNUSED_DAYS ? days : null
}
