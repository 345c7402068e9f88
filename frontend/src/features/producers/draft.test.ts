import { expect, it } from 'vitest'

import { bodyOf, draftOf, FRESH, isChanged } from './draft'
import type { Producer } from './queries'

const saved = {
  name: 'shop',
  sources: ['/shop*', '/till'],
  types: [],
  ratePerSecond: 100,
  burst: null,
  oidc: { issuer: 'https://issuer.example.com', audience: 'weir/shop', subject: 'system:*' },
} as unknown as Producer

it('gives back what was saved', () => {
  const { name, sources, types, ratePerSecond, burst, oidc } = saved
  expect(bodyOf(draftOf(saved))).toEqual({ name, sources, types, ratePerSecond, burst, oidc })
})

it('forgets the issuer when tokens are switched off, and keeps what was typed for when they are on again', () => {
  const off = { ...draftOf(saved), tokens: false }
  expect(bodyOf(off).oidc).toBeNull()
  expect(isChanged(off, draftOf(saved))).toBe(true)
  expect(isChanged({ ...off, tokens: true }, draftOf(saved))).toBe(false)
})

it('does not take spaces and empty lines for a change', () => {
  expect(isChanged({ ...FRESH, name: ' ', sources: '\n' }, FRESH)).toBe(false)
})
