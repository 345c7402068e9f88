/** A name of the IANA time zone database, such as `Europe/Berlin`, or `UTC`. */
export type Zone = string

const QUARTER_MS = 900_000
const formats = new Map<Zone, Intl.DateTimeFormat>()
const offsets = new Map<string, number>()

function formatOf(zone: Zone): Intl.DateTimeFormat {
  const known = formats.get(zone)
  if (known) return known
  const made = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit' })
  formats.set(zone, made)
  return made
}

/** How far clocks in a zone are ahead of UTC at an instant, in milliseconds. No zone changes within a quarter of an hour. */
export function offsetMs(instant: number, zone: Zone): number {
  if (zone === 'UTC' || Number.isNaN(instant)) return 0
  const quarter = Math.floor(instant / QUARTER_MS)
  const key = `${zone} ${String(quarter)}`
  const known = offsets.get(key)
  if (known !== undefined) return known
  const part = Object.fromEntries(formatOf(zone).formatToParts(quarter * QUARTER_MS).map(({ type, value }) => [type, Number(value)]))
  const shown = Date.UTC(part.year ?? 0, (part.month ?? 1) - 1, part.day, part.hour, part.minute, part.second)
  if (offsets.size > 5000) offsets.clear()
  offsets.set(key, shown - quarter * QUARTER_MS)
  return shown - quarter * QUARTER_MS
}

/** What to write behind a time of that instant: `UTC`, `UTC+1`, `UTC-3:30`. */
export function zoneName(instant: number, zone: Zone): string {
  const minutes = Math.round(offsetMs(instant, zone) / 60_000)
  if (minutes === 0) return 'UTC'
  const rest = Math.abs(minutes) % 60
  return `UTC${minutes < 0 ? '-' : '+'}${String(Math.floor(Math.abs(minutes) / 60))}${rest ? `:${String(rest).padStart(2, '0')}` : ''}`
}

/** `2026-11-23T14:32:03` as the clocks of a zone show it: what a field for a local time takes. */
export function wallTime(instant: number, zone: Zone): string {
  return new Date(instant + offsetMs(instant, zone)).toISOString().slice(0, 19)
}

/**
 * The instant at which the clocks of a zone show this time, `2026-11-23T14:32` or with seconds; NaN when it is no time.
 * An hour that clocks pass twice is the first of them, one that they leave out is moved on by as much.
 */
export function instantOf(wall: string, zone: Zone): number {
  const shown = Date.parse(`${wall}Z`)
  if (Number.isNaN(shown)) return Number.NaN
  const before = offsetMs(shown - 86_400_000, zone)
  const first = shown - before
  if (offsetMs(first, zone) === before) return first
  const second = shown - offsetMs(shown + 86_400_000, zone)
  return wallTime(second, zone) === new Date(shown).toISOString().slice(0, 19) ? second : first
}

/** The instant of `2026-11-23 15:32:03`, `2026-11-23`, or `15:32` today, as the clocks of a zone show it; NaN when it is none. */
export function readWall(text: string, zone: Zone, now: number): number {
  const [, date, time] = /^(\d{4}-\d\d-\d\d)?[ T]*(\d{1,2}:\d\d(?::\d\d)?)?$/.exec(text.trim()) ?? []
  if (!date && !time) return Number.NaN
  return instantOf(`${date ?? wallTime(now, zone).slice(0, 10)}T${(time ?? '00:00').replace(/^\d:/, '0$&')}`, zone)
}
