import { expect, test, vi } from 'vitest'

import type { Wanted } from '@/features/replays/wanted'

import { sendingHits, sendingHitsOf } from './sending'

const crm = { id: 'crm-id', name: 'crm-customer', state: 'active' as const }

function asked(permissions: string[], label: string, of: Parameters<typeof sendingHitsOf>[0] = crm): Wanted | undefined {
  const again = vi.fn<(wanted: Wanted) => void>()
  const hits = [...sendingHitsOf(of, permissions, again), ...sendingHits(permissions, again)]
  expect(hits.every((hit) => hit.label.endsWith('…') && hit.note === 'opens a dry run' && !hit.to)).toBe(true)
  hits.find((one) => one.label === label)?.run?.()
  return again.mock.calls[0]?.[0]
}

test('what sends something, or calls it off, opens its dry run', () => {
  const may = ['deliveries:retry', 'deliveries:cancel']
  expect(asked(may, 'Retry dead letters of crm-customer…')).toEqual({ kind: 'retry', select: { status: 'dead', subscription: 'crm-id' } })
  expect(asked(may, 'Retry all dead letters…')).toEqual({ kind: 'retry', select: { status: 'dead' } })
  expect(asked(may, 'Replay to crm-customer…')).toMatchObject({ kind: 'replay', to: 'crm-id', open: true })
  expect(asked(may, 'Cancel what waits for crm-customer…')).toEqual({ kind: 'cancel', select: { subscription: 'crm-id' } })
})

test('nobody is offered what they may not do, and nothing is sent to what is disabled', () => {
  expect(asked(['deliveries:read'], 'Retry dead letters of crm-customer…')).toBeUndefined()
  expect(asked(['deliveries:read'], 'Retry all dead letters…')).toBeUndefined()
  expect(asked(['deliveries:retry'], 'Cancel what waits for crm-customer…')).toBeUndefined()
  expect(asked(['deliveries:retry'], 'Replay to crm-customer…', { ...crm, state: 'disabled' })).toBeUndefined()
})
