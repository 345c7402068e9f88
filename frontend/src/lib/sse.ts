export interface SseMessage {
  /** `message` where it has no name. */
  kind: string
  /** The place after it, to go on from. */
  id: string
  data: string
}

/**
 * Cuts server-sent events (WHATWG HTML, section 9.2.6) out of text that comes in pieces. A place without data is a
 * message of the kind `at`. Lines end with LF, as our server writes them.
 */
export function sseParser(): (piece: string) => SseMessage[] {
  let rest = ''
  let kind = ''
  let id = ''
  let data: string[] = []
  let placed = false
  return (piece) => {
    const lines = (rest + piece).split('\n')
    rest = lines.pop() ?? ''
    const found: SseMessage[] = []
    for (const line of lines) {
      if (line === '') {
        if (data.length) found.push({ kind: kind || 'message', id, data: data.join('\n') })
        else if (placed) found.push({ kind: 'at', id, data: '' })
        kind = ''
        data = []
        placed = false
        continue
      }
      const colon = line.indexOf(':')
      const name = colon < 0 ? line : line.slice(0, colon)
      const value = colon < 0 ? '' : line.slice(colon + (line[colon + 1] === ' ' ? 2 : 1))
      if (name === 'data') data.push(value)
      else if (name === 'event') kind = value
      else if (name === 'id') {
        id = value
        placed = true
      }
    }
    return found
  }
}
