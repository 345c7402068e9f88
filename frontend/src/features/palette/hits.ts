import type { Component } from 'vue'
import type { RouteLocationRaw } from 'vue-router'

import type { Glyph } from '@/lib/status'

import { rank } from './match'

/** Something that the palette offers. What sends something ends in "…" and opens a dry run. */
export interface Hit {
  id: string
  icon: Component
  label: string
  /** What it is, or what follows from it; faint, behind the label. */
  note?: string
  /** How it stands. */
  badge?: { glyph: Glyph; text: string }
  /** Found by this as well. */
  more?: string
  to?: RouteLocationRaw
  run?: () => unknown
  /** Offered whatever was typed, before or behind what has it. */
  always?: 'first' | 'last'
}

export interface Group {
  label: 'Go to' | 'Do' | 'Search'
  hits: Hit[]
}

const AT_MOST: Record<Group['label'], number> = { 'Go to': 8, Do: 5, Search: 4 }

/** The best of each group for what was typed; those that are equally good keep their order. */
export function found(query: string, groups: Group[]): Group[] {
  return groups
    .map(({ label, hits }) => {
      const always = (where: Hit['always']) => hits.filter((hit) => hit.always === where)
      const ranked = hits
        .filter((hit) => !hit.always)
        .map((hit) => ({ hit, rank: rank(query, hit.label, hit.more) }))
        .filter((one) => one.rank > 0)
        .sort((a, b) => b.rank - a.rank)
        .map(({ hit }) => hit)
      const room = AT_MOST[label] - always('first').length - always('last').length
      return { label, hits: [...always('first'), ...ranked.slice(0, Math.max(0, room)), ...always('last')] }
    })
    .filter(({ hits }) => hits.length)
}
