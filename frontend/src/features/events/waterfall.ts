import type { Axis } from '@/lib/axis'
import { isOpen } from '@/lib/status'

import { fillOf, type EventDelivery } from './delivery'
import type { EventStory, WholeStory } from './queries'

export interface Bar {
  number: number
  fill: 'ok' | 'fail' | 'dead'
  /** Shares of the width. */
  left: number
  width: number
}

export interface Span {
  left: number
  width: number
}

export interface Lane {
  delivery: EventDelivery
  bars: Bar[]
  /** What was waited, up to now. */
  waits: Span[]
  /** The wait that is left until the next attempt. */
  ahead: Span | null
  /** The next attempt. */
  ghost: { number: number; left: number } | null
  /** Where the last thing drawn ends. */
  end: number
}

const at = (instant: string, start: number) => Date.parse(instant) - start

/** When the event's request came, in milliseconds since the epoch: it was stored a moment later. */
export function startOf({ receivedAt, intake }: Pick<WholeStory, 'receivedAt' | 'intake'>): number {
  return Date.parse(receivedAt) - (intake.durationMs ?? 0)
}

/** Milliseconds from the event's request to its first delivery; null while there is none. */
export function routedAt(story: WholeStory): number | null {
  const moments = story.deliveries.map(({ createdAt }) => Date.parse(createdAt))
  return moments.length ? Math.max(0, Math.min(...moments) - startOf(story)) : null
}

/** Milliseconds from `start` to the last thing that the waterfall shows. */
export function spanOf(story: Pick<EventStory, 'deliveries'>, start: number, now: number): number {
  let span = 0
  for (const { attempts, nextAttemptAt, status } of story.deliveries) {
    for (const { startedAt, durationMs } of attempts) span = Math.max(span, at(startedAt, start) + durationMs)
    if (!isOpen(status)) continue
    span = Math.max(span, now - start)
    if (nextAttemptAt) span = Math.max(span, at(nextAttemptAt, start))
  }
  return span
}

/** A delivery as bars, waits and the next attempt on an axis. */
export function laneOf(delivery: EventDelivery, start: number, now: number, axis: Axis): Lane {
  const place = (ms: number) => axis.place(Math.max(0, ms))
  const bars: Bar[] = []
  const waits: Span[] = []
  let end = 0
  delivery.attempts.forEach((attempt, i) => {
    const from = at(attempt.startedAt, start)
    const left = place(from)
    if (i > 0) waits.push({ left: end, width: Math.max(0, left - end) })
    end = Math.max(left, place(from + attempt.durationMs))
    bars.push({ number: attempt.number, fill: fillOf(delivery, attempt), left, width: end - left })
  })
  let ahead: Span | null = null
  let ghost: Lane['ghost'] = null
  if (isOpen(delivery.status) && delivery.nextAttemptAt) {
    const today = place(now - start)
    const next = place(at(delivery.nextAttemptAt, start))
    const past = Math.min(next, Math.max(end, today))
    waits.push({ left: end, width: past - end })
    ahead = { left: past, width: next - past }
    ghost = { number: delivery.attempts.length + 1, left: next }
    end = next
  }
  return { delivery, bars, waits, ahead, ghost, end }
}

