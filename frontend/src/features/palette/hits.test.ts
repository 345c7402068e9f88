import { expect, it } from 'vitest'

import { found, type Hit } from './hits'

const hit = (label: string, more: Partial<Hit> = {}): Hit => ({ id: label, icon: {}, label, ...more })

it('keeps what is always offered, before and behind the best of the rest', () => {
  const many = Array.from({ length: 9 }, (_, i) => hit(`crm-${String(i)}`))
  const [group] = found('crm', [{ label: 'Search', hits: [hit('in subject or data', { always: 'last' }), hit('x-crm'), ...many, hit('jump', { always: 'first' })] }])
  expect(group?.hits.map(({ label }) => label)).toEqual(['jump', 'crm-0', 'crm-1', 'in subject or data'])
})

it('leaves a group out that has nothing', () => {
  expect(found('zebra', [{ label: 'Do', hits: [hit('Sign out')] }])).toEqual([])
})
