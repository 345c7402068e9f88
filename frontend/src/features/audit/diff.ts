import { toYaml } from '@/lib/yaml'

type Json = unknown

/** A value that is not what it was. `undefined` where there was, or is, none. */
export interface Change {
  pointer: string
  before: Json
  after: Json
}

/** One line of a diff; `number` counts in the text it is from, `marks` are the parts of it that changed. */
export interface DiffLine {
  kind: 'same' | 'gone' | 'new'
  number: number
  text: string
  mark?: [number, number]
}

/** Members that stand first, in this order; the others follow by their names. */
const ORDER = ['name', 'type', 'kind', 'email', 'role', 'description', 'source', 'types', 'filters', 'sink', 'delivery', 'format', 'retry', 'backoffPolicy', 'backoffDelay', 'timeout', 'signingSecrets', 'auth', 'tls', 'transform', 'state', 'stateReason', 'enabled']

/** What counts changes and is shown apart. */
const COUNTERS = new Set(['version'])

function isObject(value: Json): value is Record<string, Json> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function place(name: string): number {
  const at = ORDER.indexOf(name)
  return at < 0 ? ORDER.length : at
}

/** `value` with its members in an order to be read, without those that are null in both of the documents. */
export function ordered(value: Json, other: Json = undefined): Json {
  if (Array.isArray(value)) return value.map((item, at) => ordered(item, Array.isArray(other) ? other[at] : undefined))
  if (!isObject(value)) return value
  const beside = isObject(other) ? other : {}
  const names = Object.keys(value).filter((name) => !COUNTERS.has(name) && !(value[name] === null && (beside[name] ?? null) === null))
  names.sort((a, b) => place(a) - place(b) || a.localeCompare(b))
  return Object.fromEntries(names.map((name) => [name, ordered(value[name], beside[name])]))
}

function same(a: Json, b: Json): boolean {
  return JSON.stringify(ordered(a)) === JSON.stringify(ordered(b))
}

/** Every value that differs, by JSON pointer (RFC 6901), in the order of the document. */
export function changes(before: Json, after: Json, at = ''): Change[] {
  if (isObject(before) && isObject(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((name) => at !== '' || !COUNTERS.has(name))
    names.sort((a, b) => place(a) - place(b) || a.localeCompare(b))
    return names.flatMap((name) => changes(before[name], after[name], `${at}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`))
  }
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    return before.flatMap((item, index) => changes(item, after[index], `${at}/${String(index)}`))
  }
  return same(before ?? null, after ?? null) ? [] : [{ pointer: at || '/', before, after }]
}

/** A value in one line. */
export function inline(value: Json): string {
  if (value === undefined || value === null) return 'none'
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** The ends of two texts that differ, with what they have in common in front cut down to some letters. */
export function apart(before: string, after: string, keep = 12, short = 28): [string, string] {
  if (before.length <= short && after.length <= short) return [before, after]
  let head = 0
  while (head < before.length && head < after.length && before[head] === after[head]) head += 1
  if (head <= keep) return [before, after]
  // What is left begins with a letter.
  const from = head - keep + before.slice(head - keep, head).search(/[\p{L}\p{N}]|$/u)
  return [`…${before.slice(from)}`, `…${after.slice(from)}`]
}

/** Lines past which no common ones are looked for: it would take longer than it is worth. */
const MOST = 2_000

/** The documents as YAML, line by line; lines that took each other's place stand together, with what differs in them marked. */
export function diffLines(before: Json, after: Json): DiffLine[] {
  const olds = linesOf(before, after)
  const news = linesOf(after, before)
  const out: DiffLine[] = []
  let i = 0
  let j = 0
  for (const [a, b] of [...common(olds, news), [olds.length, news.length] as const]) {
    const gone = olds.slice(i, a).map((text, at): DiffLine => ({ kind: 'gone', number: i + at + 1, text }))
    const come = news.slice(j, b).map((text, at): DiffLine => ({ kind: 'new', number: j + at + 1, text }))
    out.push(...paired(gone, come))
    if (a < olds.length) out.push({ kind: 'same', number: b + 1, text: news[b] ?? '' })
    i = a + 1
    j = b + 1
  }
  return out
}

function linesOf(value: Json, other: Json): string[] {
  if (value === null || value === undefined) return []
  return toYaml(ordered(value, other)).trimEnd().split('\n')
}

/** The indexes of a longest common subsequence. */
function common(a: string[], b: string[]): [number, number][] {
  if (a.length > MOST || b.length > MOST) return []
  const lengths = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1))
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      const row = lengths[i] as Uint16Array
      const next = lengths[i + 1] as Uint16Array
      row[j] = a[i] === b[j] ? (next[j + 1] ?? 0) + 1 : Math.max(next[j] ?? 0, row[j + 1] ?? 0)
    }
  }
  const pairs: [number, number][] = []
  let i = 0
  let j = 0
  while (i < a.length && j < b.length) {
    if (a[i] === b[j]) {
      pairs.push([i, j])
      i += 1
      j += 1
    } else if ((lengths[i + 1]?.[j] ?? 0) >= (lengths[i]?.[j + 1] ?? 0)) i += 1
    else j += 1
  }
  return pairs
}

/** Lines of one member stand one below the other; the rest keeps its order. */
function paired(gone: DiffLine[], come: DiffLine[]): DiffLine[] {
  const out: DiffLine[] = []
  const left = [...come]
  for (const line of gone) {
    const key = keyOf(line.text)
    const at = key ? left.findIndex(({ text }) => keyOf(text) === key) : -1
    if (at < 0) {
      out.push(line)
      continue
    }
    out.push(...left.splice(0, at))
    const other = left.shift()
    if (!other) continue
    const [from, to] = marks(line.text, other.text)
    out.push({ ...line, mark: from }, { ...other, mark: to })
  }
  return [...out, ...left]
}

function keyOf(line: string): string | null {
  return /^\s*(?:- )*[\w$."'-]+:(?= |$)/.exec(line)?.[0] ?? null
}

function marks(a: string, b: string): [[number, number], [number, number]] {
  const most = Math.min(a.length, b.length)
  let head = 0
  while (head < most && a[head] === b[head]) head += 1
  let tail = 0
  while (tail < most - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail += 1
  return [
    [head, a.length - tail],
    [head, b.length - tail],
  ]
}

export type Piece = { kind: 'line'; line: DiffLine } | { kind: 'fold'; lines: DiffLine[] }

/** The lines, long runs of unchanged ones folded but for those next to a change; where nothing changed all are there. */
export function folded(lines: DiffLine[], around = 4, least = 14): Piece[] {
  const pieces: Piece[] = []
  if (lines.every(({ kind }) => kind === 'same')) return lines.map((line) => ({ kind: 'line', line }))
  for (let at = 0; at < lines.length; ) {
    let end = at
    while (end < lines.length && lines[end]?.kind === 'same') end += 1
    if (end - at < least) {
      const until = Math.max(end, at + 1)
      pieces.push(...lines.slice(at, until).map((one): Piece => ({ kind: 'line', line: one })))
      at = until
      continue
    }
    const from = at === 0 ? at : at + around
    const to = end === lines.length ? end : end - around
    pieces.push(...lines.slice(at, from).map((one): Piece => ({ kind: 'line', line: one })))
    pieces.push({ kind: 'fold', lines: lines.slice(from, to) })
    pieces.push(...lines.slice(to, end).map((one): Piece => ({ kind: 'line', line: one })))
    at = end
  }
  return pieces
}
