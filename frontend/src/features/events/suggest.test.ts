import { expect, it } from 'vitest'

import { complete, isWhole, lastWord, suggest } from './suggest'
import type { FacetCounts } from './queries'

const known = { types: ['com.acme.order.paid', 'com.acme.order.created'], pointers: { country: '/country' }, subscriptions: { 'id-1': 'crm-customer' } }
const counts = { items: [{ kind: 'facet', name: 'country', values: [{ value: 'NO', count: 3 }], more: 0, searched: null }] } as FacetCounts
const labels = (text: string) => suggest(text, known, counts).map(({ label }) => label)

it('completes names', () => {
  expect(labels('A-1 sub')).toEqual(['subject:', 'subscription:'])
  expect(labels('co')).toEqual(['code:', 'country:'])
  expect(labels('')).toEqual([])
  expect(labels('type:a ')).toEqual([])
})

it('completes values, by any part of them', () => {
  expect(labels('type:paid')).toEqual(['com.acme.order.paid'])
  expect(labels('outcome:d')).toEqual(['delivered', 'retrying', 'dead', 'pending', 'cancelled', 'unmatched'].filter((name) => name.includes('d')))
  expect(labels('country:')).toEqual(['NO'])
  expect(labels('12:30')).toEqual([])
})

it('puts the choice in the place of the word', () => {
  const [crm] = suggest('paid subscription:crm', known)
  expect(crm && complete('paid subscription:crm', crm)).toBe('paid subscription:id-1')
  expect(crm && isWhole(crm, known)).toBe(true)
  expect(isWhole({ label: '', note: '', word: 'type:' }, known)).toBe(false)
  expect(lastWord('a subject:"b c')).toBe('subject:"b c')
})
