import { clock, dateTime, since as instant } from './time'
import { zoneName, type Zone } from './zone'

/** A span of time as the address has it: `15m`, `1h` or an instant; `any` has no start, and no `until` goes on to now. */
export interface RangeText {
  since: string
  until: string
}

/** A span of time as the API is asked for it: instants, empty where it is open. */
export interface Span {
  since: string
  until: string
}

export const PRESETS = [
  { value: '15m', label: 'Last 15 min' },
  { value: '1h', label: 'Last 1 h' },
  { value: '6h', label: 'Last 6 h' },
  { value: '24h', label: 'Last 24 h' },
  { value: '7d', label: 'Last 7 days' },
  { value: '30d', label: 'Last 30 days' },
  { value: 'any', label: 'Any time' },
]

/** What is wider than a preset, narrowest first; a range of instants is followed by the widest. */
export function wider(text: RangeText): typeof PRESETS {
  const at = PRESETS.findIndex(({ value }) => value === text.since)
  return at < 0 || text.until ? PRESETS.slice(-1) : PRESETS.slice(at + 1)
}

/** The instants that a range means now. What cannot be read leaves that end open. */
export function spanOf({ since, until }: RangeText, now: number): Span {
  return { since: instant(since, now) ?? '', until: instant(until, now) ?? '' }
}

/** What a range is called: a preset's name, `Last 90 min`, or what its ends are. */
export function rangeName({ since, until }: RangeText): string {
  const preset = PRESETS.find(({ value }) => value === since)
  if (!until && preset) return preset.label
  const [, n, unit] = /^(\d+)([smhd])$/.exec(since) ?? []
  if (!until && n && unit) return `Last ${n} ${{ s: 's', m: 'min', h: 'h', d: n === '1' ? 'day' : 'days' }[unit] ?? ''}`
  if (since && since !== 'any' && until) return 'From to'
  return since && since !== 'any' ? 'Since' : until ? 'Before' : 'Any time'
}

/** The ends of a span with their zone, as short as they are clear: `13:32 – 14:32 UTC`; empty where it has no start. */
export function spanWords({ since, until }: Span, now: number, zone: Zone): string {
  if (!since && !until) return ''
  const end = until ? Date.parse(until) : now
  const name = zoneName(end, zone)
  if (!since) return `${dateTime(end, zone).slice(0, 16)} ${name}`
  const start = Date.parse(since)
  const [from, to] = [dateTime(start, zone), dateTime(end, zone)]
  const seconds = Math.abs(end - start) < 300_000
  const time = (at: number) => clock(at, zone).time.slice(0, seconds ? 8 : 5)
  if (from.slice(0, 10) === to.slice(0, 10)) {
    const today = dateTime(now, zone).slice(0, 10) === to.slice(0, 10)
    return `${today ? '' : `${to.slice(0, 10)} `}${time(start)} – ${time(end)} ${name}`
  }
  // Past two days the time of day says little.
  if (end - start > 2 * 86_400_000) return `${from.slice(0, 10)} – ${to.slice(0, 10)} ${name}`
  return `${from.slice(5, 10)} ${time(start)} – ${to.slice(5, 10)} ${time(end)} ${name}`
}
