import { expect, it } from 'vitest'

import { readSearch } from './filter'

it('reads fields and free text from one line', () => {
  expect(readSearch('type:com.acme.order.paid  A-48213 source:/shop')).toEqual({
    fields: { type: 'com.acme.order.paid', source: '/shop' },
    facets: [],
    q: 'A-48213',
  })
  expect(readSearch('time:12:30 ')).toEqual({ fields: {}, facets: [], q: 'time:12:30' })
  expect(readSearch('')).toEqual({ fields: {}, facets: [], q: '' })
  expect(readSearch('facet:order:A:1 facet:paid')).toEqual({ fields: {}, facets: ['order:A:1'], q: 'facet:paid' })
})
