import { expect, it } from 'vitest'

import { healthWords, isUnwell, type Health } from './health'

const NOW = Date.parse('2026-11-27T16:00:10Z')
const since = '2026-11-27T16:00:00Z'

it.each<[Health, string, string]>([
  [{ state: 'open', since, until: '2026-11-27T16:00:30Z', reason: '503' }, 'Circuit open', 'nothing is sent, since 16:00:00, tried again in 20 s'],
  [{ state: 'open', since, until: '2026-11-27T16:00:05Z' }, 'Circuit open', 'nothing is sent, since 16:00:00, about to be tried again'],
  [{ state: 'halfOpen', since }, 'Half open', 'one request at a time tries it, since 16:00:00'],
  [{ state: 'closed', since, inFlightLimit: 4 }, 'Slowed down', 'gets 4 at once, since 16:00:00'],
  [{ state: 'closed' }, 'Healthy', 'nothing is held back'],
])('says %j', (health, word, note) => {
  expect(healthWords(health, NOW)).toMatchObject({ word, note })
  expect(isUnwell(health)).toBe(word !== 'Healthy')
})

it('has nothing to say where nothing is known', () => {
  expect(isUnwell(null)).toBe(false)
})
