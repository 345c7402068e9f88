import { describe, expect, it } from 'vitest'

import { apart, changes, diffLines, folded, inline, ordered } from './diff'

const before = { version: 1, sink: 'https://crm-sync.acme.dev/v1/events', delivery: { retry: 5, timeout: 'PT10S', format: 'binary' }, auth: null, name: 'crm' }
const after = { version: 2, sink: 'https://crm-sync.acme.dev/v2/events', delivery: { retry: 6, timeout: 'PT5S', format: 'binary' }, auth: null, name: 'crm' }

describe('changes', () => {
  it('names what differs by pointer, without what only counts changes', () => {
    expect(changes(before, after)).toEqual([
      { pointer: '/sink', before: before.sink, after: after.sink },
      { pointer: '/delivery/retry', before: 5, after: 6 },
      { pointer: '/delivery/timeout', before: 'PT10S', after: 'PT5S' },
    ])
  })
  it('does not mind the order of members, nor null for absent', () => {
    expect(changes({ a: { x: 1, y: 2 }, b: null }, { a: { y: 2, x: 1 } })).toEqual([])
  })
  it('goes into lists of one length, and gives others whole', () => {
    expect(changes({ f: [{ exact: 'a' }] }, { f: [{ exact: 'b' }] })).toEqual([{ pointer: '/f/0/exact', before: 'a', after: 'b' }])
    expect(changes({ f: [1] }, { f: [1, 2] })).toEqual([{ pointer: '/f', before: [1], after: [1, 2] }])
  })
  it('escapes names as RFC 6901 does', () => {
    expect(changes({ 'a/b~c': 1 }, { 'a/b~c': 2 })[0]?.pointer).toBe('/a~1b~0c')
  })
})

describe('diffLines', () => {
  it('puts a line and what took its place together, and marks what differs', () => {
    const lines = diffLines(before, after)
    expect(lines.map(({ kind, text }) => `${{ same: ' ', gone: '-', new: '+' }[kind]}${text}`)).toEqual([
      ' name: crm',
      '-sink: https://crm-sync.acme.dev/v1/events',
      '+sink: https://crm-sync.acme.dev/v2/events',
      ' delivery:',
      '   format: binary',
      '-  retry: 5',
      '+  retry: 6',
      '-  timeout: PT10S',
      '+  timeout: PT5S',
    ])
    const [gone, come] = [lines[1], lines[2]]
    expect(gone?.text.slice(...(gone.mark ?? []))).toBe('1')
    expect(come?.text.slice(...(come.mark ?? []))).toBe('2')
    expect(lines[6]?.number).toBe(5)
  })
  it('shows one document as it is', () => {
    expect(diffLines(before, before).every(({ kind }) => kind === 'same')).toBe(true)
    expect(diffLines(null, null)).toEqual([])
  })
  it('keeps lines that only came or went', () => {
    expect(diffLines({ a: 1 }, { a: 1, b: 2 }).map(({ kind, text }) => [kind, text])).toEqual([
      ['same', 'a: 1'],
      ['new', 'b: 2'],
    ])
  })
})

describe('folded', () => {
  const document = (n: number) => Object.fromEntries(Array.from({ length: n }, (_, at) => [`k${String(at).padStart(3, '0')}`, at]))
  it('folds what is far from a change', () => {
    const pieces = folded(diffLines(document(60), { ...document(60), k030: 'x' }))
    expect(pieces.map((piece) => (piece.kind === 'fold' ? piece.lines.length : 1)).filter((n) => n > 1)).toEqual([26, 25])
    expect(pieces.filter(({ kind }) => kind === 'line')).toHaveLength(4 + 2 + 4)
  })
  it('folds nothing of what did not change', () => {
    expect(folded(diffLines(document(60), document(60)))).toHaveLength(60)
  })
  it('loses no line', () => {
    const lines = diffLines(document(60), { ...document(60), k000: 'x', k059: 'y' })
    expect(folded(lines).flatMap((piece) => (piece.kind === 'fold' ? piece.lines : [piece.line]))).toEqual(lines)
  })
})

describe('texts', () => {
  it('has values in one line', () => {
    expect([inline('a'), inline(5), inline(null), inline(undefined), inline({ a: 1 })]).toEqual(['a', '5', 'none', 'none', '{"a":1}'])
  })
  it('cuts what two long texts have in common', () => {
    expect(apart(before.sink, after.sink)).toEqual(['…c.acme.dev/v1/events', '…c.acme.dev/v2/events'])
    expect(apart('PT10S', 'PT5S')).toEqual(['PT10S', 'PT5S'])
  })
  it('leaves out what is null in both', () => {
    expect(ordered({ b: null, a: null, name: 'x' }, { a: 1 })).toEqual({ name: 'x', a: null })
  })
})
