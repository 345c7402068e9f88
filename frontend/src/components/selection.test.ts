import { expect, test } from 'vitest'

import { useSelection } from './selection'

const rows = ['a', 'b', 'c', 'd', 'e']

test('rows are checked one by one', () => {
  const selection = useSelection(() => rows)
  expect(selection.empty).toBe(true)
  selection.toggle('b')
  selection.toggle('d')
  expect([...selection.keys]).toEqual(['b', 'd'])
  selection.toggle('b')
  expect([...selection.keys]).toEqual(['d'])
  expect(selection.empty).toBe(false)
})

test('a reach takes what is between, in both directions, and does what its end does', () => {
  const selection = useSelection(() => rows)
  selection.toggle('d')
  selection.toggle('b', true)
  expect([...selection.keys].sort()).toEqual(['b', 'c', 'd'])
  selection.toggle('c', true)
  expect([...selection.keys]).toEqual(['d'])
})

test('a reach from a row that is gone takes its end alone', () => {
  let loaded = rows
  const selection = useSelection(() => loaded)
  selection.toggle('a')
  loaded = ['c', 'd', 'e']
  selection.toggle('e', true)
  expect([...selection.keys]).toEqual(['a', 'e'])
})

test('all that match includes rows that are not loaded, until one is taken out', () => {
  const selection = useSelection(() => rows)
  selection.toggleAll()
  expect(selection.all).toBe(true)
  expect(selection.has('not loaded')).toBe(true)
  selection.toggle('c')
  expect(selection.all).toBe(false)
  expect([...selection.keys]).toEqual(['a', 'b', 'd', 'e'])
})

test('the check in the header takes all, then nothing', () => {
  const selection = useSelection(() => rows)
  selection.toggle('a')
  selection.toggleAll()
  expect(selection.all).toBe(true)
  selection.toggleAll()
  expect(selection.empty).toBe(true)
})
