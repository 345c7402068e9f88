import { describe, expect, it } from 'vitest'

import { timeAxis } from '@/lib/axis'

import type { EventDelivery } from './delivery'
import type { EventStory } from './queries'
import type { WholeStory } from './queries'
import { laneOf, routedAt, spanOf, startOf } from './waterfall'

const received = '2026-11-23T14:32:03.000Z'
const start = Date.parse(received)
const iso = (ms: number) => new Date(start + ms).toISOString()

function delivery(over: Partial<EventDelivery>, attempts: [at: number, ms: number, code: number | null][]): EventDelivery {
  return {
    id: 'd', event: 'e', eventType: 't', eventSubject: null, subscription: 's', subscriptionName: 'crm', sink: 'http://a/', status: 'delivered', held: false,
    attemptCount: attempts.length, nextAttemptAt: null, createdAt: received, endedAt: null, lastStatusCode: null, lastError: null, deadLetter: null, replay: null,
    attempts: attempts.map(([from, durationMs, statusCode], i) => ({
      number: i + 1, startedAt: iso(from), durationMs, statusCode, error: null, timings: null, connection: null, request: null, response: null, reply: null,
    })),
    ...over,
  }
}

describe('waterfall', () => {
  it('spans only what happened once everything has ended', () => {
    const story = { receivedAt: received, deliveries: [delivery({}, [[8, 84, 202]])] } as EventStory
    expect(spanOf(story, start, start + 86_400_000)).toBe(92)
  })

  it('begins with the request, not with what was stored of it', () => {
    const story = { receivedAt: received, intake: { durationMs: 2, commitEvents: 1, schemaVersion: null }, deliveries: [delivery({ createdAt: iso(8) }, []), delivery({ createdAt: iso(5) }, [])] } as unknown as WholeStory
    expect(startOf(story)).toBe(start - 2)
    expect(routedAt(story)).toBe(7)
    expect(routedAt({ ...story, deliveries: [] })).toBeNull()
  })

  it('reaches to now and to the next attempt while something is open', () => {
    const open = delivery({ status: 'retrying', nextAttemptAt: iso(36_000) }, [[84, 212, 503]])
    const story = { receivedAt: received, deliveries: [open] } as EventStory
    expect(spanOf(story, start, start + 26_000)).toBe(36_000)
    expect(spanOf(story, start, start + 40_000)).toBe(40_000)
  })

  it('puts a wait between attempts and one before the next', () => {
    const open = delivery({ status: 'retrying', nextAttemptAt: iso(36_000) }, [[84, 212, 503], [4700, 198, 503]])
    const axis = timeAxis(36_000)
    const lane = laneOf(open, start, start + 26_000, axis)
    expect(lane.bars.map(({ fill }) => fill)).toEqual(['fail', 'fail'])
    expect(lane.waits).toHaveLength(2)
    expect(lane.waits[1]?.left).toBeCloseTo(axis.place(4898))
    expect(lane.ahead?.left).toBeCloseTo(axis.place(26_000))
    expect(lane.ghost).toEqual({ number: 3, left: axis.place(36_000) })
  })

  it('shows the attempt that a delivery died of', () => {
    const lane = laneOf(delivery({ status: 'dead' }, [[8, 60, 422]]), start, start, timeAxis(68))
    expect(lane.bars[0]?.fill).toBe('dead')
    expect(lane.ghost).toBeNull()
  })
})
