import { expect, it } from 'vitest'

import { selectOf } from './bulk'

it('says a filter in the dialects of subscriptions', () => {
  expect(selectOf({ since: 'a', until: 'b', type: ['t', 'u'], subjectPrefix: 'orders/', extension: ['partitionkey:C:7', 'region:eu', 'region:us'] })).toEqual({
    since: 'a',
    until: 'b',
    filters: [
      { any: [{ exact: { type: 't' } }, { exact: { type: 'u' } }] },
      { prefix: { subject: 'orders/' } },
      { exact: { partitionkey: 'C:7' } },
      { any: [{ exact: { region: 'eu' } }, { exact: { region: 'us' } }] },
    ],
  })
  expect(selectOf({ since: 'a' })).toEqual({ since: 'a' })
})

it('knows what it cannot say', () => {
  expect([selectOf({ q: 'x' }), selectOf({ facet: ['a:b'] }), selectOf({ outcome: ['dead'] }), selectOf({ statusCode: ['5xx'] })]).toEqual([null, null, null, null])
  expect(selectOf({ facet: [] })).toEqual({})
})
