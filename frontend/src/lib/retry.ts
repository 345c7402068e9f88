/** A wait is shortened by a random share of up to this much. */
export const JITTER = 0.2

export interface RetryPolicy {
  retry: number
  policy: 'exponential' | 'linear'
  /** All in seconds. */
  delay: number
  max: number
}

export interface Retry {
  number: number
  /** Seconds from the first attempt, at the latest and, for this wait alone, at the earliest. */
  at: number
  earliest: number
}

/** The retries of a policy, each as late as its waits allow. Attempts themselves are taken to last no time. */
export function schedule({ retry, policy, delay, max }: RetryPolicy): Retry[] {
  let at = 0
  return Array.from({ length: Math.max(0, Math.min(retry, 1000)) }, (_, i) => {
    const wait = Math.min(policy === 'linear' ? delay * (i + 1) : delay * 2 ** Math.min(i, 60), max)
    at += wait
    return { number: i + 1, at, earliest: at - wait * JITTER }
  })
}

/** The place of a time on a square-root axis that ends at `end`, from 0 to 1. */
export function rootPlace(seconds: number, end: number): number {
  return end > 0 ? Math.sqrt(Math.max(0, seconds) / end) : 0
}

/** Seconds as they stand below the drawing: `35 s`, `5:15`, `2 h 05`. */
export function mark(seconds: number): string {
  const whole = Math.round(seconds * 10) / 10
  if (whole < 60) return `${String(whole)} s`
  const s = Math.round(seconds)
  const pad = (n: number) => String(n).padStart(2, '0')
  if (s < 3600) return `${String(Math.floor(s / 60))}:${pad(s % 60)}`
  if (s < 86_400) return `${String(Math.floor(s / 3600))} h ${pad(Math.floor(s / 60) % 60)}`
  return `${String(Math.floor(s / 86_400))} d ${String(Math.floor(s / 3600) % 24)} h`
}

/** A length of seconds in words: `35 s`, `5 min 15 s`, `2 h 5 min`, `3 d 4 h`. */
export function spell(seconds: number): string {
  const units: [number, string][] = [[86_400, 'd'], [3600, 'h'], [60, 'min']]
  for (const [size, name] of units) {
    if (seconds < size) continue
    const rest = seconds % size
    const smaller = { d: [3600, 'h'], h: [60, 'min'], min: [1, 's'] }[name] as [number, string]
    const n = Math.floor(rest / smaller[0])
    return `${String(Math.floor(seconds / size))} ${name}${n ? ` ${String(n)} ${smaller[1]}` : ''}`
  }
  return `${String(Math.round(seconds * 10) / 10)} s`
}
