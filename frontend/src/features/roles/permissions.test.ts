import { expect, test } from 'vitest'

import { grouped } from './permissions'

test('permissions on one thing stand together, in the order of the API', () => {
  const named = (name: string) => ({ name, description: '' })
  const groups = grouped([named('events:read'), named('keys:read'), named('events:write')])
  expect(groups.map(({ label, permissions }) => [label, permissions.map(({ name }) => name)])).toEqual([
    ['Events', ['events:read', 'events:write']],
    ['API keys', ['keys:read']],
  ])
})
