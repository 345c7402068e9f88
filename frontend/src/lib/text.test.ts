import { describe, expect, it } from 'vitest'

import { attributesOf, eventAsCurl, payloadText, requestAsCurl } from './cloudevent'
import { indentIfJson, jsonTokens, prettyJson } from './json'
import { bytes, plural, shellQuote, shortId, sinkName, sinkNames, splitType, timeOf } from './text'

describe('texts', () => {
  it('shortens ids in the middle and keeps the last twelve', () => {
    expect(shortId('01a208d2-3387-7c3e-9b41-5f02a7d8e613')).toBe('01a208d2…5f02a7d8e613')
    expect(shortId('evt-1')).toBe('evt-1')
  })

  it('reads the time of a uid', () => {
    expect(new Date(timeOf('01a20a44-d286-768e-a018-6292444a94f6')).toISOString()).toBe('2026-11-23T21:16:52.230Z')
  })

  it('parts a type from its domain', () => {
    expect(splitType('com.acme.order.paid')).toEqual(['com.acme.', 'order.paid'])
    expect(splitType('order.paid')).toEqual(['', 'order.paid'])
  })

  it('counts', () => {
    expect([612, 1100, 2_400_000].map(bytes)).toEqual(['612 B', '1.1 kB', '2.4 MB'])
    expect([plural(1, 'event'), plural(1284, 'event')]).toEqual(['1 event', '1,284 events'])
  })

  it('names sinks by host and path', () => {
    expect([sinkName('https://a.dev/'), sinkName('http://127.0.0.1:9/x'), sinkName('?')]).toEqual(['a.dev', '127.0.0.1:9/x', '?'])
  })

  it('tells sinks of one host apart by their paths', () => {
    expect(sinkNames(['https://a.dev/in', 'https://a.dev/crm?x=1', 'https://b.dev/in', 'https://a.dev/', '?'])).toEqual(['…/in', '…/crm', 'b.dev/in', 'a.dev', '?'])
  })
})

describe('json', () => {
  it('loses nothing when it is cut into tokens', () => {
    const text = prettyJson({ a: 'x "y"', b: [1, -2.5e3, null, true], c: {} })
    expect(jsonTokens(text).map((token) => token.text).join('')).toBe(text)
    expect(jsonTokens('{"a": 1}').map((token) => token.kind)).toEqual(['plain', 'key', 'plain', 'plain', 'number', 'plain'])
  })

  it('keeps short members on one line', () => {
    expect(prettyJson({ total: { amount: 1, currency: null }, none: [] })).toBe('{\n  "total": { "amount": 1, "currency": null },\n  "none": []\n}')
    expect(indentIfJson('not json')).toBe('not json')
  })
})

describe('copies', () => {
  it('quotes for a shell', () => {
    expect(shellQuote("it's")).toBe(`'it'\\''s'`)
    expect(requestAsCurl({ url: 'http://a/', headers: { 'ce-id': '1', host: 'a' } }, '{}')).toBe(
      `curl -X POST 'http://a/' \\\n  -H 'ce-id: 1' \\\n  --data-raw '{}'`,
    )
    expect(eventAsCurl({ id: '1' }, 'http://w/in/p')).toContain(`--data-raw '{"id":"1"}'`)
  })

  it('reads payload and attributes of an event', () => {
    expect([payloadText({ data: { a: 1 } }), payloadText({ data: 'x' }), payloadText({})]).toEqual(['{"a":1}', 'x', undefined])
    expect(attributesOf({ type: 't', zone: 'z', id: '1', data: {} }).map(([name]) => name)).toEqual(['id', 'type', 'zone'])
  })
})
