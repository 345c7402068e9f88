import { expect, it } from 'vitest'

import { facetGroups } from './facets'
import type { FacetCounts } from './queries'

const body = (kind: FacetCounts['items'][number]['kind'], name: string, values: [string, number][], more = 0) => ({ kind, name, values: values.map(([value, count]) => ({ value, count })), more, searched: null })
const counts: FacetCounts = {
  items: [body('facet', 'country', [['DE', 40], ['NO', 10]], 14), body('outcome', 'outcome', [['dead', 3], ['delivered', 47]]), body('type', 'type', [['a.b', 50]])],
}
const known = { pointers: { country: '/country' }, subscriptions: {} }
const chosen = (of: Record<string, string[]>) => (member: string) => of[member] ?? []

it('shows outcomes in their order, the usual ones without events as well', () => {
  const [outcome] = facetGroups(counts, chosen({}), known)
  expect(outcome?.rows.map(({ label, count }) => [label, count])).toEqual([['All delivered', 47], ['Some retrying', 0], ['Some dead', 3], ['No match', 0]])
})

it('calls a facet after its place in the data', () => {
  const group = facetGroups(counts, chosen({ facet: ['country:NO'] }), known).at(-1)
  expect(group).toMatchObject({ member: 'facet', prefix: 'country:', title: 'data /country', more: 14 })
  expect(group?.rows).toEqual([
    { value: 'DE', label: 'DE', count: 40, share: 1, chosen: false },
    { value: 'NO', label: 'NO', count: 10, share: 0.25, chosen: true },
  ])
})

it('keeps what is chosen and was not counted', () => {
  const groups = facetGroups(counts, chosen({ type: ['x'], facet: ['order:A-1'] }), known)
  expect(groups.map(({ title }) => title)).toEqual(['Outcome', 'Type', 'Source', 'data /country', 'order'])
  expect(groups[1]?.rows.at(-1)).toMatchObject({ value: 'x', count: null, chosen: true })
  expect(facetGroups(undefined, chosen({}), known).map(({ title }) => title)).toEqual(['Outcome', 'Type', 'Source'])
})
