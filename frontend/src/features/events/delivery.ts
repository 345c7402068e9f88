import { answerOf as answer } from '@/lib/answer'
import { isOpen, succeeded } from '@/lib/status'
import { plural } from '@/lib/text'
import { duration, relative } from '@/lib/time'

import type { EventStory } from './queries'

export type EventDelivery = EventStory['deliveries'][number]
export type EventAttempt = EventDelivery['attempts'][number]

/** What the sink said last: a status code, or in one word why no answer came. */
export function answerOf({ lastStatusCode, lastError }: Pick<EventDelivery, 'lastStatusCode' | 'lastError'>): string {
  return answer(lastStatusCode, lastError).word
}

export function colourOf({ status }: Pick<EventDelivery, 'status'>): string {
  return { delivered: 'text-t2', retrying: 'text-retry', pending: 'text-flight', dead: 'text-dead', cancelled: 'text-t2' }[status]
}

/** The length of a success, the time to the next attempt, or how many attempts were made. */
export function sideNote(delivery: EventDelivery, now: number): string {
  const last = delivery.attempts.at(-1)
  if (delivery.status === 'delivered' && last) return duration(last.durationMs)
  if (isOpen(delivery.status) && delivery.nextAttemptAt) return relative(delivery.nextAttemptAt, now)
  return plural(delivery.attemptCount, 'attempt')
}

/** The colour of an attempt's bar. */
export function fillOf(delivery: EventDelivery, attempt: EventAttempt): 'ok' | 'fail' | 'dead' {
  if (succeeded(attempt.statusCode)) return 'ok'
  const last = attempt.number === delivery.attempts.at(-1)?.number
  return delivery.status === 'dead' && last ? 'dead' : 'fail'
}
