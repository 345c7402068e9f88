import { offsetMs, zoneName, type Zone } from './zone'

const two = (n: number) => String(n).padStart(2, '0')
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

export interface Clock {
  /** `14:32:06`. */
  time: string
  /** `.482`: apart, because it is drawn fainter. */
  fraction: string
}

/** An instant as a Date whose parts in UTC are those of a zone. */
function inZone(instant: string | number, zone: Zone): Date {
  const at = new Date(instant).getTime()
  return new Date(at + offsetMs(at, zone))
}

/** Time of day of an RFC 3339 instant or of milliseconds since the epoch. */
export function clock(instant: string | number, zone: Zone = 'UTC'): Clock {
  const d = inZone(instant, zone)
  return {
    time: `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())}`,
    fraction: `.${String(d.getUTCMilliseconds()).padStart(3, '0')}`,
  }
}

/** `2026-11-23 14:32:03.207`. */
export function dateTime(instant: string | number, zone: Zone = 'UTC'): string {
  const { time, fraction } = clock(instant, zone)
  return `${inZone(instant, zone).toISOString().slice(0, 10)} ${time}${fraction}`
}

/** `23 Nov 2026`. */
export function day(instant: string | number, zone: Zone = 'UTC'): string {
  const d = inZone(instant, zone)
  return `${String(d.getUTCDate())} ${MONTHS[d.getUTCMonth()] ?? ''} ${String(d.getUTCFullYear())}`
}

/** `23 Dec 2026 14:36 UTC`. */
export function minute(instant: string | number, zone: Zone = 'UTC'): string {
  return `${day(instant, zone)} ${clock(instant, zone).time.slice(0, 5)} ${zoneName(new Date(instant).getTime(), zone)}`
}

/** A length in milliseconds, short: `96 ms`, `5.00 s`, `5:09 min`, `2:05 h`, `3.5 d`. */
export function duration(ms: number): string {
  if (ms < 0) return `-${duration(-ms)}`
  if (ms < 10) return `${String(Math.round(ms * 10) / 10)} ms`
  if (ms < 1000) return `${String(Math.round(ms))} ms`
  if (ms < 9_995) return `${(ms / 1000).toFixed(2)} s`
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 3600) return `${String(Math.floor(seconds / 60))}:${two(seconds % 60)} min`
  if (seconds < 86_400) return `${String(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)} h`
  return `${String(Math.round(seconds / 8640) / 10)} d`
}

/** A length in whole units, as one says it: `26 s`, `4 min`, `3 h`, `12 days`. */
export function roughly(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000))
  if (s < 60) return `${String(s)} s`
  if (s < 3600) return `${String(Math.round(s / 60))} min`
  if (s < 86_400) return `${String(Math.round(s / 3600))} h`
  const days = Math.round(s / 86_400)
  return days === 1 ? '1 day' : `${String(days)} days`
}

/** `26 s ago`, `now`, `in 10 s`. */
export function relative(instant: string | number, now: number): string {
  const ms = now - new Date(instant).getTime()
  if (Math.abs(ms) < 1000) return 'now'
  return ms > 0 ? `${roughly(ms)} ago` : `in ${roughly(-ms)}`
}

const UNITS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000 }

/** The start of a range given as `15m`, `1h`, `7d` or as an instant; null when it is neither. */
export function since(text: string, now: number): string | null {
  const short = /^(\d+)([smhd])$/.exec(text)
  if (short) return new Date(now - Number(short[1]) * UNITS[short[2] as keyof typeof UNITS]).toISOString()
  const at = Date.parse(text)
  return Number.isNaN(at) ? null : new Date(at).toISOString()
}

/** A length in seconds, as one says how long to wait: `2 s`, `1 min 27 s`, `3 h 5 min`, `2 days`. */
export function waiting(seconds: number): string {
  const s = Math.max(1, Math.round(seconds))
  if (s < 60) return `${String(s)} s`
  const parts = (whole: number, unit: string, rest: number, small: string) => (rest ? `${String(whole)} ${unit} ${String(rest)} ${small}` : `${String(whole)} ${unit}`)
  if (s < 3600) return parts(Math.floor(s / 60), 'min', s % 60, 's')
  const minutes = Math.round(s / 60)
  if (s < 86_400) return parts(Math.floor(minutes / 60), 'h', minutes % 60, 'min')
  return roughly(s * 1000)
}
