import { computed, nextTick, onBeforeUnmount, ref, shallowRef, watch, type Ref } from 'vue'

import { getOutcomes } from '@/api'
import type { SseMessage } from '@/lib/sse'
import { bytes, timeOf } from '@/lib/text'

import { glance, TailBuffer, type EventLine } from './buffer'
import { Pace } from './pace'
import { follow, type Connection } from './stream'

const OUTCOMES_MS = 1000
const ASKED = 60
/** How long after receipt an event without deliveries may still get some. */
export const ROUTING_MS = 20_000

interface Told {
  uid: string
  receivedAt: string
  event: Record<string, unknown> & { type: string; source: string; subject?: string }
  facets: Record<string, unknown> | null
  dataSize: number | null
  dataLeftOut: boolean
}

/** Whether the deliveries of this event may still change. */
export function isMoving({ outcome, ms }: EventLine): boolean {
  return outcome ? outcome.pending + outcome.retrying > 0 || Date.now() - ms < 3_000 : Date.now() - ms < ROUTING_MS
}

function eventLine(raw: string): EventLine {
  const told = JSON.parse(raw) as Told
  const { event } = told
  const left = told.dataLeftOut ? `${bytes(told.dataSize ?? 0)}, too large to be shown here` : ''
  const data = 'data' in event ? event.data : 'data_base64' in event ? 'binary data' : undefined
  const seen = glance(told.facets, data)
  return {
    is: 'event',
    key: told.uid,
    uid: told.uid,
    receivedAt: told.receivedAt,
    ms: timeOf(told.uid),
    type: event.type,
    source: event.source,
    subject: event.subject ?? '',
    values: seen.values,
    text: left || seen.text,
    outcome: null,
    raw,
  }
}

/** The stream of a project: what came, and what becomes of the connection. What comes together is shown together. */
export function useTail(project: Ref<string>, query: Ref<string>) {
  const buffer = new TailBuffer()
  /** Grows with every change of the lines: they themselves are too many to be looked after one by one. */
  const version = ref(0)
  const shown = ref(0)
  const since = ref(Date.now())
  const place = ref('')
  let last = ''
  const connection = shallowRef<Connection>({ is: 'connecting' })
  let abort = new AbortController()
  const pace = new Pace()
  let showing = 0
  let gaps = 0

  function hear(message: SseMessage): void {
    last = message.id
    change()
    if (message.kind === 'message') {
      buffer.add(eventLine(message.data))
      return
    }
    if (message.kind !== 'dropped') return
    const told = JSON.parse(message.data) as { count: number | null; reason: string; since: string; until: string }
    const text = told.reason === 'past' ? 'What came before is older than a day' : told.reason === 'slow' ? 'dropped here, this browser was too slow' : 'dropped here'
    const until = Date.parse(told.until)
    buffer.drop({ is: 'gap', key: `gap-${String(gaps++)}`, ms: until, count: told.count ?? 0, text }, Date.parse(told.since), until)
  }

  function start(): void {
    abort.abort()
    abort = new AbortController()
    const { signal } = abort
    const path = `/v1/projects/${encodeURIComponent(project.value)}/live/events`
    void follow(
      path,
      new URLSearchParams(query.value),
      { message: hear, connection: (next) => { if (!signal.aborted) connection.value = next } },
      signal,
    )
  }

  function change(): void {
    showing ||= window.setTimeout(show, pace.wait(performance.now()))
  }
  function show(): void {
    const began = performance.now()
    showing = 0
    version.value++
    shown.value = buffer.shown
    place.value = last
    // The rows are written by then, not drawn yet.
    void nextTick(() => { pace.took(began, performance.now()) })
  }

  /** The rows on screen whose deliveries may still change are asked for. */
  const looked = shallowRef<EventLine[]>([])
  let asking = false
  const asked = window.setInterval(() => {
    const uids = looked.value.filter(isMoving).slice(0, ASKED).map(({ uid }) => uid)
    if (!uids.length || asking || document.hidden) return
    asking = true
    getOutcomes({ path: { project: project.value }, query: { event: uids }, signal: abort.signal })
      .then(({ items }) => {
        const found = new Map(items.map(({ uid, ...outcome }) => [uid, outcome]))
        for (const line of looked.value) line.outcome = found.get(line.uid) ?? line.outcome
        version.value++
      })
      .catch(() => undefined) // asked again in a second
      .finally(() => {
        asking = false
      })
  }, OUTCOMES_MS)

  function clear(): void {
    buffer.clear()
    since.value = Date.now()
    change()
  }

  watch([project, query], ([nextProject], before) => {
    if (nextProject !== before[0]) clear()
    start()
  })
  start()
  onBeforeUnmount(() => {
    abort.abort()
    window.clearTimeout(showing)
    window.clearInterval(asked)
  })

  return {
    lines: () => buffer.lines,
    version,
    shown,
    since,
    place,
    connection,
    looked,
    clear,
    again: start,
    history: (now: number) => buffer.history(now),
    fault: computed(() => (connection.value.is === 'refused' && connection.value.error.status === 422 ? connection.value.error : null)),
  }
}
