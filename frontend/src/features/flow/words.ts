import type { RouteLocationRaw } from 'vue-router'

import { percent, rateText } from '@/lib/rate'
import type { Glyph } from '@/lib/status'
import { count } from '@/lib/text'
import { duration } from '@/lib/time'

import { COLUMNS, failing, type FlowNode, type Tally } from './graph'

export type Mode = 'rate' | 'errors' | 'latency'

/** From here on a sink that fails is told apart by its share in place of its rate. */
export const UNWELL = 0.1

export interface NodeWords {
  text: string
  /** The colour of `text`; empty for none. */
  tone: string
  glyph: Glyph | null
  /** What the glyph says, for who does not see it. */
  state: string
}

/** `64 % failing`; a share that rounds to nothing is not said to be nothing. */
export function failingText(share: number): string {
  return `${share > 0 && share < 0.005 ? '<1' : count(Math.round(share * 100))} % failing`
}

function stateOf(node: FlowNode): { glyph: Glyph | null; state: string } {
  const share = failing(node)
  if (node.column === 1 && !node.weight) return { glyph: null, state: '' }
  if (node.column !== 3) return { glyph: null, state: '' }
  if (node.circuit === 'open') return { glyph: 'failed', state: 'circuit open' }
  if (share >= UNWELL) return { glyph: 'failed', state: 'failing' }
  if (node.dead) return { glyph: 'dead', state: 'has dead letters' }
  if (node.circuit === 'halfOpen' || node.retrying) return { glyph: 'retrying', state: 'retrying' }
  return { glyph: 'delivered', state: 'well' }
}

/** What is said of a node beside its name. */
export function nodeWords(node: FlowNode, mode: Mode, seconds: number, matched: boolean): NodeWords {
  const share = failing(node)
  const rate = rateText(node.count / seconds)
  const { glyph, state } = node.column === 1 && !matched ? { glyph: 'none' as const, state: 'no subscription' } : stateOf(node)
  const said = { glyph, state }
  if (mode === 'latency' && node.column >= 2) return { ...said, text: node.p95Ms === null ? '–' : duration(node.p95Ms), tone: '' }
  if (mode === 'errors' && node.column >= 2) {
    if (node.dead) return { ...said, text: `${count(node.dead)} dead`, tone: 'text-dead' }
    return { ...said, text: node.attempts ? `${percent(share * 100)} %` : '–', tone: share ? 'text-fail' : '' }
  }
  if (mode === 'rate' && node.column === 3 && share >= UNWELL) return { ...said, text: failingText(share), tone: 'text-fail' }
  return { ...said, text: rate, tone: '' }
}

/** The rows behind a node, or behind what flows between two. */
export function rowsOf(nodes: FlowNode[], project: string, span: { since: string; until: string }, status?: string): RouteLocationRaw | null {
  const query: Record<string, string> = { since: span.since, until: span.until }
  for (const { column, id } of nodes) {
    // All others together are in no list by themselves.
    if (id === null) continue
    query[COLUMNS[column] ?? ''] = id
  }
  const named = (name: string) => name in query
  if (named('subscription') || named('sink')) {
    // A subscription says more than its sink, which may be that of others too.
    if (named('subscription')) delete query.sink
    return { name: 'deliveries', params: { project }, query: { ...query, ...(status ? { status } : {}) } }
  }
  return named('producer') || named('type') ? { name: 'events', params: { project }, query } : null
}

/** What becomes of something, in words: `64 % of attempts fail`; empty where none does. */
export function failingWords(tally: Tally): string {
  const share = failing(tally)
  if (!share) return ''
  return `${share < 0.005 ? '<1' : count(Math.round(share * 100))} % of attempts fail`
}
