import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'

import { toYaml, yamlTokens } from './yaml'

const RESOURCE = {
  name: 'billing: "eu"',
  filters: [{ any: [{ exact: { type: 'a' } }, { sql: "type = 'b'\nAND x > 1" }] }, { not: { prefix: { source: '# no' } } }],
  delivery: { retry: 12, ratePerSecond: null, replies: false, headers: {} },
  tls: { ca: '-----BEGIN CERTIFICATE-----\nMIIB\n\n-----END CERTIFICATE-----\n' },
  numbers: ['12', 'true', 'null', ''],
  signingSecrets: [],
}

describe('a resource as YAML', () => {
  it('is the same when it is read again', () => {
    expect(parse(toYaml(RESOURCE))).toEqual(RESOURCE)
  })
  it('does not indent sequences and breaks no line', () => {
    expect(toYaml({ filters: [{ sql: `type IN (${'a '.repeat(100)})` }] }).split('\n').slice(0, 2)).toEqual(['filters:', `- sql: type IN (${'a '.repeat(100)})`])
  })
  it('is the same for who reads YAML 1.1', () => {
    const texts = { at: '2026-11-27T19:47:03.915793Z', day: '2026-11-27', yes: 'yes', on: 'On', time: '12:30:00', octal: '012', big: '1_000' }
    expect(parse(toYaml(texts), { version: '1.1' })).toEqual(texts)
    expect(parse(toYaml(RESOURCE), { version: '1.1' })).toEqual(RESOURCE)
  })
  it('has every character in its tokens', () => {
    const text = toYaml(RESOURCE)
    expect(yamlTokens(text).map((token) => token.text).join('')).toBe(text)
  })
  it('knows keys from words and texts', () => {
    const kinds = Object.fromEntries(yamlTokens('retry: 12\nname: "a: b"\nca: |\n  key: no\nlast: null\n').map(({ kind, text }) => [text.trim(), kind]))
    expect(kinds).toEqual({ retry: 'key', ':': 'plain', '12': 'word', name: 'key', '"a: b"': 'string', ca: 'key', '|': 'string', 'key: no': 'string', last: 'key', null: 'word' })
  })
})
