import { config } from '@/app/config'
import { accessToken, authorizedFetch } from '@/app/session'
import { toApiError, type ApiError } from '@/lib/problem'
import { sseParser, type SseMessage } from '@/lib/sse'

import { slices } from './pace'

export type Connection =
  | { is: 'connecting' | 'live' }
  | { is: 'waiting' | 'reconnecting'; cause: string }
  | { is: 'refused'; error: ApiError }

interface Heard {
  message: (message: SseMessage) => void
  connection: (connection: Connection) => void
}

const PAUSE_MS = 500
const LONGEST_MS = 10_000
/** The server is heard of every ten seconds, if nothing else happens. */
const SILENCE_MS = 30_000

/**
 * Follows the live stream until `signal` ends it. It comes back by itself, after the last place; what coming back does
 * not mend is `refused`, and the end.
 */
export async function follow(path: string, query: URLSearchParams, heard: Heard, signal: AbortSignal): Promise<void> {
  let after = ''
  let failures = 0
  heard.connection({ is: 'connecting' })
  while (!signal.aborted) {
    let cause = 'The connection broke off.'
    try {
      for await (const message of once(path, query, after, signal)) {
        if (message.id) after = message.id
        if (message.kind !== 'end') failures = 0
        if (message.kind === 'live') heard.connection({ is: 'live' })
        else if (message.kind === 'waiting') heard.connection({ is: 'waiting', cause: 'The database does not answer.' })
        else if (message.kind === 'end') cause = message.data.includes('"away"') ? 'The database does not answer.' : ''
        else if (message.kind !== 'at') heard.message(message)
      }
    } catch (error) {
      if (signal.aborted) return
      const failure = toApiError(error)
      if (failure.status >= 400 && failure.status !== 503 && failure.status !== 429 && failure.status !== 502 && failure.status !== 504) {
        heard.connection({ is: 'refused', error: failure })
        return
      }
      cause = failure.status ? failure.message : 'Weir does not answer.'
    }
    if (!cause) continue
    failures++
    heard.connection({ is: 'reconnecting', cause })
    await pause(Math.min(PAUSE_MS * 2 ** (failures - 1), LONGEST_MS), signal)
  }
}

async function* once(path: string, query: URLSearchParams, after: string, signal: AbortSignal): AsyncGenerator<SseMessage> {
  const silent = new AbortController()
  const stop = () => {
    silent.abort()
  }
  let timer = window.setTimeout(stop, SILENCE_MS)
  signal.addEventListener('abort', stop)
  try {
    const headers = new Headers({ accept: 'text/event-stream', authorization: `Bearer ${accessToken() ?? ''}` })
    if (after) headers.set('last-event-id', after)
    const answer = await authorizedFetch(`${config.apiUrl}${path}?${query.toString()}`, { headers, signal: silent.signal, credentials: 'include' })
    if (!answer.ok || !answer.body) throw toApiError(await answer.json().catch(() => null), answer)
    const parse = sseParser()
    const breathe = slices()
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      window.clearTimeout(timer)
      timer = window.setTimeout(stop, SILENCE_MS)
      for (const message of parse(value)) {
        yield message
        await breathe()
      }
    }
  } finally {
    window.clearTimeout(timer)
    signal.removeEventListener('abort', stop)
    silent.abort()
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = window.setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      window.clearTimeout(timer)
      resolve()
    })
  })
}
