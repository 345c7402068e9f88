import { expect, it } from 'vitest'

import { openedBy, savedOf } from './saved'

it('saves what is asked for, and how long ago', () => {
  const asked = { type: ['a'], q: 'x', schemaFault: true }
  expect(savedOf(asked, { since: '1h', until: '' })).toEqual({ type: ['a'], q: 'x', schemaFault: true, last: '1h' })
  expect(savedOf({}, { since: 'any', until: '' })).toEqual({})
  expect(savedOf({}, { since: '2026-01-01T00:00:00Z', until: '2026-01-02T00:00:00Z' })).toEqual({ since: '2026-01-01T00:00:00Z', until: '2026-01-02T00:00:00Z' })
})

it('opens what was saved, and nothing besides', () => {
  const change = openedBy({ query: { type: ['a', 'b'], last: '1h', schemaFault: true } })
  expect(change).toMatchObject({ type: ['a', 'b'], since: '1h', until: null, schemaFault: 'true', q: null, outcome: null, event: null })
  expect(openedBy({ query: {} }).since).toBe('any')
})
