import { describe, expect, it } from 'vitest'

import { bodyOf, candidates, dataIn, draftOf, FRESH, isChanged, isNewVersion, repeated, schemaFault } from './draft'
import type { EventType } from './queries'

const saved = {
  type: 'com.acme.order',
  description: null,
  schemaMode: 'warn',
  facets: { order: '/order/id' },
  version: 2,
  schemas: [
    { version: 1, dataschema: null, schema: {}, createdAt: '2026-11-23T14:00:00Z' },
    { version: 2, dataschema: 'https://acme.example/2', schema: { type: 'object' }, createdAt: '2026-11-24T14:00:00Z' },
  ],
} as unknown as EventType
const base = draftOf(saved)

describe('the draft of a type', () => {
  it('sends no schema while the newest version is as it was, however it is indented', () => {
    expect(bodyOf({ ...base, schema: '{"type":"object"}' }, base)).toEqual({ description: null, schemaMode: 'warn', facets: { order: '/order/id' } })
    expect(isChanged({ ...base, schema: ' {"type": "object"}' }, base)).toBe(false)
  })

  it('makes a version of a changed schema, and of the same one under another URI', () => {
    const other = { ...base, schema: '{"type": "array"}', dataschema: ' https://acme.example/3 ' }
    expect(bodyOf(other, base)).toMatchObject({ schema: { type: 'array' }, dataschema: 'https://acme.example/3' })
    expect(isNewVersion({ ...base, dataschema: 'https://acme.example/3' }, base)).toBe(true)
    expect(isNewVersion({ ...FRESH, dataschema: 'https://acme.example/3' }, FRESH)).toBe(false)
  })

  it('leaves out rows without anything and names those that are there twice', () => {
    const facets = [...base.facets, { name: '', pointer: '' }, { name: 'order ', pointer: '/id' }]
    expect(repeated(facets)).toEqual(['order'])
    expect(isChanged({ ...base, facets: [...base.facets, { name: '', pointer: '' }] }, base)).toBe(false)
  })

  it('says what is wrong with the text of a schema', () => {
    expect([schemaFault(''), schemaFault('{}')]).toEqual(['', ''])
    expect(schemaFault('[]')).toContain('object')
    expect(schemaFault('{"a":')).not.toBe('')
  })
})

it('finds the data of a whole event, and facets in data', () => {
  expect(dataIn({ specversion: '1.0', type: 't', data: { a: 1 } })).toEqual({ data: { a: 1 }, event: true })
  expect(dataIn({ data: 1 })).toEqual({ data: { data: 1 }, event: false })
  expect(candidates({ order: { id: 'A-1', 'a/b': 2 }, tags: ['x'], none: null })).toEqual([
    { name: 'orderId', pointer: '/order/id' },
    { name: 'orderAB', pointer: '/order/a~1b' },
    { name: 'tags', pointer: '/tags' },
  ])
})
