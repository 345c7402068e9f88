import { expect, test } from 'vitest'

import { changedWords } from './changed'

const one = (subscription: string, version = 1) => ({ subscription, version, state: 'active' as const })

test('what became of the subscriptions since is said, and nothing where nothing did', () => {
  expect(changedWords([one('a'), one('b')], [one('b'), one('a')])).toBe('')
  expect(changedWords([one('a'), one('b'), one('c')], [one('a', 2), one('b', 4), one('d')])).toBe('2 changed since, 1 made since, 1 deleted since')
})
