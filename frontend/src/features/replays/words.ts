import type { Glyph } from '@/lib/status'
import { STATUS_WORDS } from '@/lib/status'
import { parseDuration } from '@/lib/durations'
import { count, shortId } from '@/lib/text'
import { waiting } from '@/lib/time'
import { clauseWords } from '@/lib/words'

import type { DrySink, Replay } from './queries'

/** Half, 64 % and the like: as whole numbers, and never none where there is some. */
export function percent(share: number): string {
  return `${String(share > 0 ? Math.max(1, Math.round(share * 100)) : 0)} %`
}

/** `20/s`, `0.5/s`. */
export function rateWords(rate: number | null): string {
  return rate == null ? 'as fast as it takes them' : `${String(rate)}/s`
}

export interface SinkWords {
  glyph: Glyph
  text: string
}

const CIRCUITS: Record<DrySink['circuit'], { glyph: Glyph; text: string }> = {
  closed: { glyph: 'delivered', text: 'closed' },
  halfOpen: { glyph: 'retrying', text: 'half-open' },
  open: { glyph: 'failed', text: 'open' },
}

/** Whether nothing can be sent there, whatever one asks for. */
export function isShut({ state }: Pick<DrySink, 'state'>): boolean {
  return state === 'disabled' || state === 'deleted'
}

/** The state of a sink now, in a few words; `asked` is the rate that was asked for. */
export function sinkWords(sink: DrySink, asked: number | null): SinkWords {
  if (sink.state === 'deleted') return { glyph: 'none', text: 'deleted, gets nothing' }
  if (sink.state === 'disabled') return { glyph: 'none', text: 'disabled, gets nothing' }
  if (sink.state === 'paused') return { glyph: 'paused', text: 'paused, they wait' }
  const { glyph, text } = CIRCUITS[sink.circuit]
  if (sink.failing) return { glyph: sink.circuit === 'closed' ? 'error' : glyph, text: `${text}, ${percent(sink.failing.rate)} fail` }
  const slower = sink.ratePerSecond != null && (asked == null || sink.ratePerSecond < asked)
  return { glyph, text: slower ? `${text}, limit ${rateWords(sink.ratePerSecond)}` : text }
}

/** What becomes of deliveries to a sink that fails: `At 64 %, about 51 of its 1,163 would die again after 5 min.` */
export function failingWords({ failing, count: n }: DrySink): string {
  if (!failing) return ''
  const after = parseDuration(failing.diesAfter)
  return `At ${percent(failing.rate)}, about ${count(failing.wouldDie)} of its ${count(n)} would die again${after ? ` after ${waiting(after)}` : ''}.`
}

export const STATES: Record<Replay['state'], { glyph: Glyph; word: string }> = {
  running: { glyph: 'flight', word: 'Running' },
  paused: { glyph: 'paused', word: 'Paused' },
  done: { glyph: 'delivered', word: 'Done' },
  cancelled: { glyph: 'cancelled', word: 'Cancelled' },
}

/** `Retry of 1,284 deliveries`. */
export function titleOf({ kind, total }: Pick<Replay, 'kind' | 'total'>): string {
  const what = total == null ? 'deliveries' : `${count(total)} ${total === 1 ? 'delivery' : 'deliveries'}`
  return `${{ retry: 'Retry', replay: 'Replay', cancel: 'Cancellation' }[kind]} of ${what}`
}

const list = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : value == null ? [] : [String(value)])

/** What a replay was asked to select, as names and values; `at` writes an instant. What is named one by one is only counted. */
export function selectionWords(select: Record<string, unknown>, at: (instant: string) => string): [string, string][] {
  const parts: [string, string][] = []
  const named = (name: string, ids: string[]) => {
    // Of many only the first are told, and how many they were.
    const n = typeof select.named === 'number' ? select.named : ids.length
    if (ids.length) parts.push([name, n === 1 ? shortId(ids[0] ?? '') : `${count(n)} chosen`])
  }
  named('deliveries', [...list(select.deliveries), ...list(select.delivery)])
  named('events', [...list(select.events), ...list(select.event)])
  const states = list(select.status)
  if (states.length) parts.push(['state', states.map((state) => (STATUS_WORDS as Record<string, string>)[state] ?? state).join(', ')])
  const said: [string, string][] = [
    ['subscription', 'subscription'],
    ['sink', 'sink'],
    ['type', 'type'],
    ['statusCode', 'last answer'],
    ['error', 'error has'],
    ['q', 'text'],
  ]
  for (const [name, word] of said) {
    const values = list(select[name])
    if (values.length) parts.push([word, values.join(', ')])
  }
  if (select.since != null) parts.push(['received from', at(String(select.since))])
  if (select.until != null) parts.push(['received before', at(String(select.until))])
  for (const filter of Array.isArray(select.filters) ? select.filters : []) {
    const { before, value } = clauseWords(filter)
    parts.push(['filter', `${before} ${value}`.trim()])
  }
  const left = list(select.leaveOut).length
  if (left) parts.push(['left out', left === 1 ? '1 subscription' : `${count(left)} subscriptions`])
  return parts
}
