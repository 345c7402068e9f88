import { expect, it } from 'vitest'

import { readSearch } from './filter'

it('reads fields and free text from one line', () => {
  expect(readSearch('type:com.acme.order.paid  A-48213 source:/shop')).toEqual({
    fields: { type: 'com.acme.order.paid', source: '/shop' },
    q: 'A-48213',
  })
  expect(readSearch('time:12:30 ')).toEqual({ fields: {}, q: 'time:12:30' })
  expect(readSearch('')).toEqual({ fields: {}, q: '' })
})
