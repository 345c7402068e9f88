import { describe, expect, it } from 'vitest'

import { isName } from './passkeys'

describe('a host that passkeys can be for', () => {
  it.each(['weir.acme.dev', 'localhost', '1and1.dev'])('%s', (host) => {
    expect(isName(host)).toBe(true)
  })
  it.each(['127.0.0.1', '10.0.0.7', '[::1]', '[2001:db8::1]'])('not %s', (host) => {
    expect(isName(host)).toBe(false)
  })
})
