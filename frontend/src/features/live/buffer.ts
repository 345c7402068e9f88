export type Outcome = Record<'delivered' | 'retrying' | 'dead' | 'pending' | 'cancelled', number>

/** An event of the stream as a row shows it. */
export interface EventLine {
  is: 'event'
  key: string
  uid: string
  receivedAt: string
  ms: number
  type: string
  source: string
  subject: string
  /** Names and values by which its type is looked at. */
  values: [string, string][]
  /** Where there are none: the data itself, or why it is not shown. */
  text: string
  outcome: Outcome | null
  /** As it came: for saving. */
  raw: string
}

/** Events that are missing at this place. */
export interface GapLine {
  is: 'gap'
  key: string
  ms: number
  count: number
  text: string
}

export type Line = EventLine | GapLine

/** What one second of receipt brought. */
export interface Second {
  shown: number
  dropped: number
}

export const CAPACITY = 10_000
export const SECONDS = 120
const SPARE = 1_000

/** What came in, the oldest first, within bounds; and how much there was in each of the last two minutes' seconds. */
export class TailBuffer {
  lines: Line[] = []
  /** Events shown since the beginning, or since it was cleared. */
  shown = 0
  private readonly seconds = new Map<number, Second>()

  add(line: EventLine): void {
    this.lines.push(line)
    this.shown++
    this.second(line.ms).shown++
    this.trim()
  }

  /** `until` is when the last of those that are missing was received. */
  drop(line: GapLine, since: number, until: number): void {
    const last = this.lines.at(-1)
    // What is missing in a row is one gap, however often it is told.
    if (last?.is === 'gap') this.lines[this.lines.length - 1] = { ...last, count: last.count + line.count }
    else this.lines.push(line)
    const [first, end] = [Math.floor(since / 1000), Math.floor(until / 1000)]
    const each = line.count / (end - first + 1)
    for (let at = Math.max(first, end - SECONDS); at <= end; at++) this.second(at * 1000).dropped += each
    this.trim()
  }

  clear(): void {
    this.lines = []
    this.shown = 0
  }

  /** The last two minutes up to `now`, the oldest second first. */
  history(now: number): Second[] {
    const last = Math.floor(now / 1000)
    for (const at of this.seconds.keys()) if (at <= last - 2 * SECONDS) this.seconds.delete(at)
    return Array.from({ length: SECONDS }, (_, i) => this.seconds.get(last - SECONDS + 1 + i) ?? { shown: 0, dropped: 0 })
  }

  private second(ms: number): Second {
    const at = Math.floor(ms / 1000)
    let found = this.seconds.get(at)
    if (!found) {
      found = { shown: 0, dropped: 0 }
      this.seconds.set(at, found)
    }
    return found
  }

  private trim(): void {
    // Now and then, not at each: what is cut off in front moves all the rest.
    if (this.lines.length >= CAPACITY + SPARE) this.lines = this.lines.slice(-CAPACITY)
  }
}

/** Averages over the last full seconds, and what was dropped in all of them. */
export function rates(history: Second[], over = 10): { match: number; shown: number; dropped: number } {
  const full = history.slice(-1 - over, -1)
  const shown = full.reduce((sum, one) => sum + one.shown, 0) / over
  const dropped = full.reduce((sum, one) => sum + one.dropped, 0) / over
  return { match: shown + dropped, shown, dropped: Math.round(history.reduce((sum, one) => sum + one.dropped, 0)) }
}

const MOST_VALUES = 8
const MOST_TEXT = 400

/** What is worth seeing of an event's data in one line: declared facets, else the scalars at its top. */
export function glance(facets: Record<string, unknown> | null, data: unknown): { values: [string, string][]; text: string } {
  const named = facets && Object.keys(facets).length ? facets : isRecord(data) ? data : null
  if (named) {
    const values = Object.entries(named)
      .filter(([, value]) => value === null || typeof value !== 'object' || Array.isArray(value))
      .slice(0, MOST_VALUES)
      .map(([name, value]): [string, string] => [name, spelled(value).slice(0, 80)])
    if (values.length) return { values, text: '' }
  }
  return { values: [], text: data === undefined ? '' : spelled(data).slice(0, MOST_TEXT) }
}

function spelled(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const STEPS = [25, 50, 100, 250, 500, 1000]

/** The next limit above this one; null at the highest. */
export function nextRate(rate: number): number | null {
  return STEPS.find((step) => step > rate) ?? null
}

/** The least round number at or above `n`, for the top of an axis. */
export function roundUp(n: number): number {
  const unit = 10 ** Math.floor(Math.log10(Math.max(n, 1)))
  return ([1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((step) => step * unit >= n) ?? 10) * unit
}
