import type { Glyph } from './status'
import { clock, relative } from './time'

/** What dispatch knows of a sink. Closed without a limit is a sink that nothing is known against. */
export interface Health {
  state: 'closed' | 'open' | 'halfOpen'
  since?: string | null
  /** While it is open: when it is tried again. */
  until?: string | null
  reason?: string | null
  /** How many requests it gets at once, where that is fewer than was asked for. */
  inFlightLimit?: number | null
}

export interface HealthWords {
  glyph: Glyph
  word: string
  /** What that means for deliveries, and since when. */
  note: string
}

/** Whether there is anything to say of it in a list. */
export function isUnwell(health: Health | null | undefined): health is Health {
  return health != null && (health.state !== 'closed' || health.inFlightLimit != null)
}

/** A sink's health in words, as of `now` (milliseconds since the epoch). */
export function healthWords(health: Health, now: number): HealthWords {
  const since = health.since ? `since ${clock(health.since).time}` : ''
  const limit = health.inFlightLimit == null ? '' : `${String(health.inFlightLimit)} at once`
  if (health.state === 'open') {
    const next = health.until && Date.parse(health.until) > now ? `tried again ${relative(health.until, now)}` : 'about to be tried again'
    return { glyph: 'failed', word: 'Circuit open', note: joined('nothing is sent', since, next) }
  }
  if (health.state === 'halfOpen') return { glyph: 'retrying', word: 'Half open', note: joined('one request at a time tries it', since) }
  if (limit) return { glyph: 'error', word: 'Slowed down', note: joined(`gets ${limit}`, since) }
  return { glyph: 'delivered', word: 'Healthy', note: 'nothing is held back' }
}

const joined = (...parts: string[]) => parts.filter(Boolean).join(', ')
