import { describe, expect, it } from 'vitest'

import { senderWords } from './sender'

const sender = (over: Partial<Parameters<typeof senderWords>[0]>) => ({ kind: 'key' as const, id: '7c1f9f6f3a10', name: null, producer: null, revokedAt: null, ...over })

describe('senderWords', () => {
  it('names the producer, and its key', () => {
    expect(senderWords(sender({ producer: 'storefront', name: 'checkout' }))).toEqual({ role: 'Producer', name: 'storefront', note: 'by key checkout' })
  })
  it('says that a key was revoked', () => {
    expect(senderWords(sender({ name: 'till', revokedAt: '2026-11-23T14:00:00Z' }))).toEqual({ role: 'API key', name: 'till', note: 'revoked since' })
  })
  it('has the id where there is no name', () => {
    expect(senderWords(sender({})).name).toBe('7c1f9f6f3a10')
    expect(senderWords(sender({ kind: 'reply', id: 'billing' }))).toEqual({ role: 'Answer of', name: 'billing', note: '' })
  })
})
