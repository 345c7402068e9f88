import { expect, it } from 'vitest'

import { readSearch, written } from './members'

it('reads members and free text from one line', () => {
  expect(readSearch('type:com.acme.order.paid  A-48213 source:/shop')).toEqual({
    values: [['type', 'com.acme.order.paid'], ['source', '/shop']],
    q: 'A-48213',
  })
  expect(readSearch('')).toEqual({ values: [], q: '' })
})

it('reads beginnings, codes and faults', () => {
  expect(readSearch('type:com.acme.* subject:orders/* id:a* code:5xx outcome:dead fault:yes').values).toEqual([
    ['typePrefix', 'com.acme.'], ['subjectPrefix', 'orders/'], ['id', 'a*'], ['statusCode', '5xx'], ['outcome', 'dead'], ['schemaFault', 'true'],
  ])
  expect(readSearch('type:*')).toEqual({ values: [], q: '' })
})

it('reads facets by name, when a type declares it', () => {
  expect(readSearch('order:A:1 time:12:30', ['order'])).toEqual({ values: [['facet', 'order:A:1']], q: 'time:12:30' })
  expect(readSearch('facet:order:A-1 facet:paid ext:partitionkey:C-7')).toEqual({ values: [['facet', 'order:A-1'], ['extension', 'partitionkey:C-7']], q: 'facet:paid' })
})

it('keeps what is in quotes together', () => {
  expect(readSearch('error:"timed out" "two words"')).toEqual({ values: [['error', 'timed out']], q: '"two words"' })
  const odd = 'a "b" \\ c'
  expect(readSearch(`subject:${written(odd)}`).values).toEqual([['subject', odd]])
})
