import { clock, dateTime } from '@/lib/time'
import { zoneName, type Zone } from '@/lib/zone'

import type { Outcome } from './members'
import type { Histogram } from './queries'

type Counted = Histogram['items'][number]

/** A bar in shares of the width and in pixels of height; the parts stand on each other, the worst below. */
export interface Bar {
  since: number
  until: number
  /** Shares of the width, from 0 to 1. */
  left: number
  width: number
  parts: { is: 'dead' | 'retrying' | 'pending' | 'rest'; y: number; height: number }[]
  counted: boolean
}

/** A round number that is not less: 1, 2, 4, 8, or 10 of a power of ten. */
export function roundUp(n: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(n, 1)))
  return ([1, 2, 4, 8, 10].find((step) => step * power >= n) ?? 10) * power
}

/** Bars over the range, `height` pixels high at `top` events. A count that is not zero is at least 1.5 pixels high. */
export function barsOf(histogram: Histogram, height: number, top: number): Bar[] {
  const start = Date.parse(histogram.since)
  const span = Math.max(1, Date.parse(histogram.until) - start)
  return histogram.items.map((one) => {
    const [since, until] = [Date.parse(one.since), Date.parse(one.until)]
    const high = (n: number) => (n > 0 ? Math.max(1.5, (n / top) * height) : 0)
    let y = height
    const parts: Bar['parts'] = []
    for (const [is, n] of [['dead', one.dead], ['retrying', one.retrying], ['pending', one.pending], ['rest', one.total - one.dead - one.retrying - one.pending]] as const) {
      if (n <= 0) continue
      y -= high(n)
      parts.push({ is, y: Math.max(0, y), height: high(n) })
    }
    return { since, until, left: (since - start) / span, width: (until - since) / span, parts, counted: one.complete }
  })
}

/** The events of the bars of a span, summed up. */
export function sumOf(items: Counted[], since: number, until: number): Counted | null {
  const within = items.filter((one) => Date.parse(one.since) >= since && Date.parse(one.until) <= until)
  if (!within.length) return null
  const names: (Outcome | 'total')[] = ['total', 'delivered', 'retrying', 'pending', 'dead', 'cancelled', 'unmatched']
  const sum = (name: Outcome | 'total') => within.reduce((n, one) => n + one[name], 0)
  return { ...(within[0] as Counted), ...Object.fromEntries(names.map((name) => [name, sum(name)])), complete: within.every(({ complete }) => complete) }
}

const DAY_MS = 86_400_000
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 1_209_600, 2_419_200, 7_862_400, 31_449_600]

/** Where times are written under a range, and what: at round times of the zone, `most` at most. */
export function ticksOf(since: number, until: number, most: number, zone: Zone): { at: number; label: string }[] {
  const span = Math.max(1, until - since)
  const step = (STEPS.find((seconds) => span / (seconds * 1000) <= most) ?? STEPS.at(-1) ?? 1) * 1000
  // Days begin when the clocks of the zone say so.
  const ahead = Date.parse(`${dateTime(since, zone).slice(0, 23).replace(' ', 'T')}Z`) - since
  const found: { at: number; label: string }[] = []
  for (let at = Math.ceil((since + ahead) / step) * step - ahead; at <= until; at += step) {
    const label = step >= DAY_MS ? dateTime(at, zone).slice(5, 10) : clock(at, zone).time.slice(0, step < 60_000 ? 8 : 5)
    found.push({ at, label })
  }
  return found
}

/** `14:06 – 14:21 UTC`, with its days where they are not the same. */
export function between(since: number, until: number, zone: Zone): string {
  const [from, to] = [dateTime(since, zone), dateTime(until, zone)]
  const whole = since % 60_000 === 0 && until % 60_000 === 0
  const time = (text: string) => text.slice(11, whole ? 16 : 19)
  const name = zoneName(until, zone)
  if (from.slice(0, 10) === to.slice(0, 10)) return `${time(from)} – ${time(to)} ${name}`
  return `${from.slice(5, 10)} ${time(from)} – ${to.slice(5, 10)} ${time(to)} ${name}`
}

const WIDTHS: Record<string, string> = { S: 'second', M: 'minute', H: 'hour', D: 'day' }

/** How much and of what a width such as `PT15M` is. */
function widthOf(step: string): { n: string; word: string } {
  const [, n = '1', unit = ''] = /(\d+)([SMHD])$/.exec(step) ?? []
  const word = WIDTHS[unit] ?? ''
  return { n, word: n === '1' ? word : `${word}s` }
}

/** `events per minute`, `events per 15 minutes`, of a width such as `PT15M`. */
export function perStep(step: string): string {
  const { n, word } = widthOf(step)
  return n === '1' ? `events per ${word}` : `events per ${n} ${word}`
}

/** How much of a histogram is selected: `4 bars selected, 15 seconds each`. */
export function selectedWords(bars: number, step: string): string {
  const { n, word } = widthOf(step)
  return bars === 1 ? `1 bar selected, ${n} ${word}` : `${String(bars)} bars selected, ${n} ${word} each`
}
