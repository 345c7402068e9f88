export type JsonKind = 'plain' | 'key' | 'string' | 'number' | 'word'

export interface JsonToken {
  kind: JsonKind
  text: string
}

const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|\b(true|false|null)\b/g

/** The tokens of a JSON text in order; their texts joined are the text itself. */
export function jsonTokens(text: string): JsonToken[] {
  const tokens: JsonToken[] = []
  let end = 0
  for (const m of text.matchAll(TOKEN)) {
    if (m.index > end) tokens.push({ kind: 'plain', text: text.slice(end, m.index) })
    const [whole, quoted, colon, number] = m
    if (quoted && colon) tokens.push({ kind: 'key', text: quoted }, { kind: 'plain', text: colon })
    else tokens.push({ kind: quoted ? 'string' : number ? 'number' : 'word', text: whole })
    end = m.index + whole.length
  }
  if (end < text.length) tokens.push({ kind: 'plain', text: text.slice(end) })
  return tokens
}

/** Columns up to which an object or array stays on one line, unless told otherwise. */
const WIDTH = 80

/** JSON with two spaces, except that what fits into one short line stays on it. */
export function prettyJson(value: unknown, width = WIDTH, indent = '', lead = 0): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const flat = JSON.stringify(value, null, 1).replace(/\n\s*/g, ' ')
  const inner = `${indent}  `
  // A comma may follow.
  if (indent && indent.length + lead + flat.length < width) return flat === '[ ]' ? '[]' : flat
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]'
    return `[\n${value.map((member) => inner + prettyJson(member, width, inner)).join(',\n')}\n${indent}]`
  }
  const members = Object.entries(value).map(([key, member]) => {
    const name = `${JSON.stringify(key)}: `
    return inner + name + prettyJson(member, width, inner, name.length)
  })
  return members.length === 0 ? '{}' : `{\n${members.join(',\n')}\n${indent}}`
}

/** The text indented when it is JSON, and as it is when not. */
export function indentIfJson(text: string, width = WIDTH): string {
  try {
    return prettyJson(JSON.parse(text), width)
  } catch {
    return text
  }
}
