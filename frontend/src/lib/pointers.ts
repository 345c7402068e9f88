import type { JsonToken } from './json'

/** The reference tokens of a JSON pointer (RFC 6901), also of one in a fragment such as `#/a`; null when it is none. */
export function readPointer(text: string): string[] | null {
  const bare = text.startsWith('#') ? text.slice(1) : text
  if (bare === '') return []
  if (!bare.startsWith('/')) return null
  return bare.slice(1).split('/').map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** The pointer with these reference tokens. */
export function writePointer(parts: (string | number)[]): string {
  return parts.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

/** Whether a document has something at a pointer. */
export function hasPointer(document: unknown, parts: string[]): boolean {
  let value = document
  for (const part of parts) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return false
    value = (value as Record<string, unknown>)[part]
  }
  return true
}

/** For each token of a JSON text the pointer of the value that it is, or that it is the name of; null for punctuation. */
export function tokenPointers(tokens: JsonToken[]): (string | null)[] {
  const stack: { array: boolean; at: string | number }[] = []
  const here = () => writePointer(stack.map(({ at }) => at))
  return tokens.map(({ kind, text }) => {
    const top = stack.at(-1)
    if (kind === 'key') {
      if (top) top.at = String(JSON.parse(text))
      return here()
    }
    if (kind !== 'plain') return here()
    for (const sign of text) {
      const inner = stack.at(-1)
      if (sign === '{') stack.push({ array: false, at: '' })
      else if (sign === '[') stack.push({ array: true, at: 0 })
      else if (sign === '}' || sign === ']') stack.pop()
      else if (sign === ',' && inner?.array) inner.at = Number(inner.at) + 1
    }
    return null
  })
}
