import { expect, test } from 'vitest'

import { selectOf, things, toOf, type Target } from './wanted'

const nowhere: Target = { where: 'subscription', subscription: '', address: '' }

test('a replay needs to be told where to, a retry does not', () => {
  expect(toOf('replay', nowhere)).toBeUndefined()
  expect(toOf('replay', { ...nowhere, subscription: 'an-id' })).toBe('an-id')
  expect(toOf('replay', { ...nowhere, where: 'address', address: ' https://a.test ' })).toBe('https://a.test')
  expect(toOf('replay', { ...nowhere, where: 'same' })).toBeNull()
  expect(toOf('retry', nowhere)).toBeNull()
})

test('events to those that had them are deliveries that have ended', () => {
  expect(selectOf('replay', { since: '2026-11-23T00:00:00Z' }, null)).toEqual({ since: '2026-11-23T00:00:00Z', status: ['dead', 'cancelled', 'delivered'] })
  expect(selectOf('replay', { events: ['a'] }, null)).toEqual({ events: ['a'] })
  expect(selectOf('replay', { status: 'dead' }, null)).toEqual({ status: 'dead' })
  expect(selectOf('replay', { type: 'a' }, 'somewhere')).toEqual({ type: 'a' })
})

test('what is selected has a name and a number', () => {
  expect(things('retry', { status: 'dead' }, 1284)).toBe('1,284 dead letters')
  expect(things('retry', { status: ['dead', 'cancelled'] }, 1)).toBe('1 delivery')
  expect(things('replay', { status: 'dead' }, 2)).toBe('2 deliveries')
  expect(things('cancel', {}, 5000, false)).toBe('over 5,000 deliveries')
  expect(things('retry', { status: 'dead' })).toBe('dead letters')
})
