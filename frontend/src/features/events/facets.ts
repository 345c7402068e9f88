import type { Glyph } from '@/lib/status'

import type { Known } from './filter'
import { OUTCOMES, type Outcome } from './members'
import type { FacetCounts } from './queries'

/** One thing that events differ in, as a column of checks. */
export interface FacetGroup {
  /** The member of the query string. */
  member: string
  /** Before each value there, for a facet: `country:`. */
  prefix: string
  title: string
  rows: FacetRow[]
  /** How many values there are besides. */
  more: number
  /** The oldest moment that was counted, where counting was bounded. */
  searched: { count: number; until?: string | null } | null
}

export interface FacetRow {
  value: string
  label: string
  glyph?: Glyph
  /** Null for one that is chosen and not among the most frequent. */
  count: number | null
  /** Of the most frequent one's, from 0 to 1. */
  share: number
  chosen: boolean
}

const GLYPHS: Record<Outcome, Glyph> = { delivered: 'delivered', retrying: 'retrying', dead: 'dead', pending: 'pending', cancelled: 'cancelled', unmatched: 'none' }
/** These are shown without events as well. */
const USUAL: Outcome[] = ['delivered', 'retrying', 'dead', 'unmatched']

/** The groups of the column: what the API counted, and what is chosen of each. */
export function facetGroups(counts: FacetCounts | undefined, chosenOf: (member: string) => string[], known: Known): FacetGroup[] {
  const bodies = counts?.items ?? []
  const named = bodies.map(({ kind, name }) => `${kind} ${name}`)
  const missing = [
    ...(['outcome', 'type', 'source'] as const).filter((kind) => !named.includes(`${kind} ${kind}`)).map((kind) => ({ kind, name: kind as string })),
    ...[...new Set(chosenOf('facet').map((pair) => pair.split(':')[0] ?? ''))].filter((name) => !named.includes(`facet ${name}`)).map((name) => ({ kind: 'facet' as const, name })),
  ].map((one) => ({ ...one, values: [], more: 0, searched: null }))
  const order = ['outcome', 'type', 'source', 'facet']
  return [...bodies, ...missing]
    .sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind) || a.name.localeCompare(b.name))
    .map(({ kind, name, values, more, searched }) => {
      const prefix = kind === 'facet' ? `${name}:` : ''
      const chosen = chosenOf(kind).filter((value) => value.startsWith(prefix)).map((value) => value.slice(prefix.length))
      const most = Math.max(1, ...values.map(({ count }) => count))
      const rows: FacetRow[] = values.map(({ value, count }) => ({ value, label: value, count, share: count / most, chosen: chosen.includes(value) }))
      for (const value of chosen) if (!rows.some((row) => row.value === value)) rows.push({ value, label: value, count: null, share: 0, chosen: true })
      return { member: kind, prefix, title: kind === 'facet' ? (known.pointers[name] ? `data ${known.pointers[name]}` : name) : { outcome: 'Outcome', type: 'Type', source: 'Source' }[kind], rows: kind === 'outcome' ? byOutcome(rows) : rows, more, searched: searched ?? null }
    })
    .filter(({ member, rows }) => rows.length > 0 || member !== 'facet')
}

/** In their own order, the usual ones without events as well. */
function byOutcome(rows: FacetRow[]): FacetRow[] {
  return (Object.keys(OUTCOMES) as Outcome[]).flatMap((outcome): FacetRow[] => {
    const row = rows.find(({ value }) => value === outcome)
    if (!row && !USUAL.includes(outcome)) return []
    return [{ value: outcome, share: 0, chosen: false, ...row, count: row?.count ?? 0, label: OUTCOMES[outcome], glyph: GLYPHS[outcome] }]
  })
}
