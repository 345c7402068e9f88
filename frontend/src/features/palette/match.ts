/** A part of a text, and whether it is what was typed. */
export interface Part {
  text: string
  hit: boolean
}

const wordsOf = (query: string) => query.toLowerCase().split(/\s+/u).filter(Boolean)

/**
 * How well a text answers what was typed: 0 not at all, more is better. Every word has to be somewhere; the start of the
 * text counts most, then the start of a word. `more` is found as well, and counts least.
 */
export function rank(query: string, text: string, more = ''): number {
  const words = wordsOf(query)
  if (!words.length) return 1
  const low = text.toLowerCase()
  const ranks = words.map((word) => {
    const at = low.indexOf(word)
    if (at === 0) return word.length === low.length ? 5 : 4
    if (at > 0) return starts(low, word) ? 3 : 2
    return more.toLowerCase().includes(word) ? 1 : 0
  })
  return ranks.includes(0) ? 0 : Math.min(...ranks)
}

/** Whether a word of the text begins so. */
function starts(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    if (!/[\p{L}\p{N}]/u.test(text[at - 1] ?? ' ')) return true
  }
  return false
}

/** A text with the places marked at which it has what was typed. */
export function parts(query: string, text: string): Part[] {
  const low = text.toLowerCase()
  const marked = Array.from({ length: text.length }, () => false)
  for (const word of wordsOf(query)) {
    const at = low.indexOf(word)
    if (at >= 0) marked.fill(true, at, at + word.length)
  }
  const found: Part[] = []
  for (const [i, char] of Array.from(text.split('')).entries()) {
    const hit = marked[i] ?? false
    const last = found.at(-1)
    if (last?.hit === hit) last.text += char
    else found.push({ text: char, hit })
  }
  return found
}

/** The id that was pasted, as Weir writes it: a UUID with or without its dashes; null for any other text. */
export function idIn(text: string): string | null {
  const digits = /^[{"']?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})[}"']?$/i.exec(text.trim())
  return digits ? digits.slice(1).join('-').toLowerCase() : null
}

/** The trace of a `traceparent`, or a trace id by itself (W3C Trace Context, "traceparent Header"); null for any other text. */
export function traceIn(text: string): string | null {
  return (/^(?:[0-9a-f]{2}-)?([0-9a-f]{32})(?:-[0-9a-f]{16}-[0-9a-f]{2})?$/i.exec(text.trim())?.[1] ?? '').toLowerCase() || null
}
