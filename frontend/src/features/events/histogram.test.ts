import { describe, expect, it } from 'vitest'

import { barsOf, between, perStep, roundUp, selectedWords, sumOf, ticksOf } from './histogram'
import type { Histogram } from './queries'

const start = Date.parse('2026-11-23T13:32:00Z')
const MINUTE = 60_000
const iso = (minutes: number) => new Date(start + minutes * MINUTE).toISOString()

function bar(minute: number, over: Partial<Histogram['items'][number]> = {}): Histogram['items'][number] {
  return { since: iso(minute), until: iso(minute + 1), complete: true, total: 0, delivered: 0, retrying: 0, pending: 0, dead: 0, cancelled: 0, unmatched: 0, ...over }
}
const items = [bar(0, { total: 40, delivered: 40 }), bar(1), bar(2, { total: 80, delivered: 70, dead: 1, retrying: 5, pending: 4 }), bar(3, { complete: false })]
const histogram: Histogram = { since: iso(0), until: iso(4), step: 'PT1M', items, total: { ...bar(0), total: 120 }, searched: null }

describe('the histogram', () => {
  it('stands the worst below, and shows what is few', () => {
    const [first, second, third, last] = barsOf(histogram, 58, 80)
    expect(first).toMatchObject({ left: 0, width: 0.25, parts: [{ is: 'rest', y: 29, height: 29 }] })
    expect(second?.parts).toEqual([])
    expect(third?.parts.map(({ is }) => is)).toEqual(['dead', 'retrying', 'pending', 'rest'])
    expect(third?.parts[0]).toEqual({ is: 'dead', y: 56.5, height: 1.5 })
    expect(last?.counted).toBe(false)
  })

  it('sums a span up', () => {
    expect(sumOf(items, start, start + 3 * MINUTE)).toMatchObject({ total: 120, dead: 1, delivered: 110 })
    expect(sumOf(items, start, start + 30_000)).toBeNull()
  })

  it('has a round top', () => {
    expect([0, 1, 3, 71, 80, 81, 1000, 1001].map(roundUp)).toEqual([1, 1, 4, 80, 80, 100, 1000, 2000])
  })

  it('writes round times below, in the zone', () => {
    const labels = (hours: number, zone: string) => ticksOf(start, start + hours * 60 * MINUTE, 7, zone).map(({ label }) => label)
    expect(labels(1, 'UTC')).toEqual(['13:40', '13:50', '14:00', '14:10', '14:20', '14:30'])
    expect(labels(1, 'Europe/Berlin')[0]).toBe('14:40')
    expect(labels(96, 'UTC')).toEqual(['11-24', '11-25', '11-26', '11-27'])
    expect(ticksOf(start, start + 96 * 60 * MINUTE, 7, 'Europe/Berlin')[0]?.at).toBe(Date.parse('2026-11-23T23:00:00Z'))
  })

  it('says a span and a width in words', () => {
    expect(between(start, start + 15 * MINUTE, 'UTC')).toBe('13:32 – 13:47 UTC')
    expect(between(start, start + 15 * MINUTE + 500, 'UTC')).toBe('13:32:00 – 13:47:00 UTC')
    expect(between(start, start + 1440 * MINUTE, 'Europe/Berlin')).toBe('11-23 14:32 – 11-24 14:32 UTC+1')
    expect(['PT1M', 'PT15M', 'P1D', 'PT30S'].map(perStep)).toEqual(['events per minute', 'events per 15 minutes', 'events per day', 'events per 30 seconds'])
    expect([selectedWords(1, 'PT15S'), selectedWords(4, 'PT15S'), selectedWords(2, 'PT1M')]).toEqual(['1 bar selected, 15 seconds', '4 bars selected, 15 seconds each', '2 bars selected, 1 minute each'])
  })
})
