import { describe, expect, it } from 'vitest'

import type { EventDelivery } from './delivery'
import { namedInResponses } from './named'

const PAYLOAD = JSON.stringify({ total: { currency: null }, items: [{ sku: 'a' }] })
const answered = (body: string, statusCode = 422) =>
  ({ id: 'd', subscriptionName: 'fraud', attempts: [{ number: 1, statusCode, response: { headers: {}, body, bodyEncoding: 'text', bodyTruncated: false } }] }) as unknown as EventDelivery

const found = (body: unknown, statusCode?: number) => namedInResponses([answered(JSON.stringify(body), statusCode)], PAYLOAD).map(({ pointer, detail }) => [pointer, detail])

describe('namedInResponses', () => {
  it('ties the pointers of a problem to the payload', () => {
    expect(found({ title: 'no', errors: [{ pointer: '#/total/currency', detail: 'must be a code' }, { pointer: '/data/items/0/sku', detail: 'unknown' }] })).toEqual([
      ['/total/currency', 'must be a code'],
      ['/items/0/sku', 'unknown'],
    ])
    expect(found({ pointer: '/total', title: 'bad total' })).toEqual([['/total', 'bad total']])
  })

  it('passes over what is not there, what is no pointer, what was delivered and what is no JSON', () => {
    expect(found({ errors: [{ pointer: '/elsewhere', detail: 'x' }, { pointer: 7 }, 'x', { pointer: '' }] })).toEqual([])
    expect(found({ errors: [{ pointer: '/total' }] }, 200)).toEqual([])
    expect(namedInResponses([answered('<html>')], PAYLOAD)).toEqual([])
    expect(namedInResponses([answered('{"pointer":"/total"}')], undefined)).toEqual([])
  })
})
