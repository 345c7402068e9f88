import { expect, it } from 'vitest'

import { idIn, parts, rank, traceIn } from './match'

it('ranks the start of a text before the start of a word before the middle', () => {
  expect(['crm-customer', 'old-crm', 'scrmble', 'billing'].map((text) => rank('crm', text))).toEqual([4, 3, 2, 0])
  expect(rank('events', 'Events')).toBe(5)
  expect(rank('', 'anything')).toBe(1)
})

it('wants every word, in any order, and looks into what is said beside it', () => {
  expect(rank('sync crm', 'crm-sync')).toBe(3)
  expect(rank('crm nothing', 'crm-sync')).toBe(0)
  expect(rank('https', 'crm-sync', 'https://crm.example')).toBe(1)
})

it('marks what was typed', () => {
  expect(parts('crm', 'Retry of CRM-customer')).toEqual([{ text: 'Retry of ', hit: false }, { text: 'CRM', hit: true }, { text: '-customer', hit: false }])
  expect(parts('', 'Events')).toEqual([{ text: 'Events', hit: false }])
  expect(parts('b a', 'ab')).toEqual([{ text: 'ab', hit: true }])
})

it('knows an id and a trace when it sees one', () => {
  const uid = '01a208d2-3387-7c3e-9b41-5f02a7d8e613'
  expect(idIn(` ${uid.toUpperCase()}\n`)).toBe(uid)
  expect(idIn(`"${uid.replaceAll('-', '')}"`)).toBe(uid)
  expect([idIn('orders/A-1'), idIn('01a208d2')]).toEqual([null, null])
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
  expect(traceIn(`00-${trace}-00f067aa0ba902b7-01`)).toBe(trace)
  expect([traceIn(trace), traceIn(uid), traceIn('')]).toEqual([trace, null, null])
})
