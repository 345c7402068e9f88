/** Where the linear milliseconds end and the break begins. */
export const NEAR_MS = 300
/** The share of the width that the near part gets when there is a far one. */
const NEAR_SHARE = 0.335
const BREAK_SHARE = 0.03

export interface Tick {
  /** Milliseconds from the start. */
  at: number
  label: string
}

export interface Axis {
  /** Where the time stands, as a share of the width from 0 to 1; times outside are put at the border. */
  place: (ms: number) => number
  ticks: Tick[]
  /** The middle of the break as a share of the width, null for a linear axis. */
  break: number | null
  /** The end in milliseconds. */
  end: number
}

const STEPS = [1, 2, 5]

function niceStep(span: number, parts: number): number {
  const raw = span / parts
  const power = 10 ** Math.floor(Math.log10(raw))
  return (STEPS.find((step) => step * power >= raw * 0.999) ?? 10) * power
}

const TIME_STEPS = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600, 43_200, 86_400]

function farStep(spanSeconds: number): number {
  if (spanSeconds < 3) return niceStep(spanSeconds, 3)
  return TIME_STEPS.find((step) => spanSeconds / step <= 4) ?? niceStep(spanSeconds / 86_400, 4) * 86_400
}

function farLabel(seconds: number, step: number): string {
  const round = (n: number) => String(Math.round(n * 100) / 100)
  if (step >= 86_400) return `${round(seconds / 86_400)} d`
  if (step >= 3600) return `${round(seconds / 3600)} h`
  if (step >= 60) return `${round(seconds / 60)} min`
  return `${round(seconds)} s`
}

const clamp = (n: number) => Math.min(1, Math.max(0, n))

/**
 * The axis of a waterfall over `span` milliseconds. Up to 300 ms it is linear; past that it has two parts, so that a
 * delivery of 80 ms and a retry after minutes can both be read: 0 to 300 ms, a break, then seconds.
 */
export function timeAxis(span: number): Axis {
  if (span <= NEAR_MS) {
    const step = niceStep(Math.max(span, 4), 4)
    const end = Math.max(Math.ceil((span * 1.15) / step) * step, step * 4)
    const ticks: Tick[] = []
    for (let at = 0; at < end - step / 2; at += step) ticks.push({ at, label: at === 0 ? '0' : `${String(Math.round(at * 100) / 100)} ms` })
    return { place: (ms) => clamp(ms / end), ticks, break: null, end }
  }
  const step = farStep(span / 1000) * 1000
  const end = span * 1.06
  const far = NEAR_SHARE + BREAK_SHARE
  const place = (ms: number) =>
    ms <= NEAR_MS
      ? clamp(ms / NEAR_MS) * NEAR_SHARE
      : clamp(far + ((ms - NEAR_MS) / (end - NEAR_MS)) * (1 - far))
  const ticks: Tick[] = [
    { at: 0, label: '0' },
    { at: 100, label: '100' },
    { at: 200, label: '200 ms' },
  ]
  for (let at = step; at < end; at += step) {
    const x = place(at)
    if (at > NEAR_MS && x - far > 0.06 && x < 0.95) ticks.push({ at, label: farLabel(at / 1000, step / 1000) })
  }
  return { place, ticks, break: NEAR_SHARE + BREAK_SHARE / 2, end }
}
