import { describe, expect, it } from 'vitest'

import { noticesOf, placed, placeIn, spelled, unplacedFaults } from './notices'

describe('places', () => {
  it('finds the character that CESQL names', () => {
    const text = "type = 'a'\nAND = 4"
    expect(placeIn('expected a value, not = (at character 16)', text)).toEqual({ detail: 'expected a value, not =', mark: { from: 15, to: 16, kind: 'error' } })
    expect(spelled({ from: 15, to: 16, kind: 'error' }, text)).toBe('Line 2, column 5')
  })

  it('counts characters, not halves of them', () => {
    expect(placeIn('x (at character 5)', "'😀' !").mark).toEqual({ from: 5, to: 6, kind: 'error' })
  })

  it('finds line and column that CEL names', () => {
    const text = "type == 'a'\n&& regio == 'eu'"
    expect(placeIn("line 2, column 4: undeclared reference to 'regio'\n&& regio == 'eu'\n   ^", text)).toEqual({
      detail: "undeclared reference to 'regio'",
      mark: { from: 15, to: 20, kind: 'error' },
    })
  })

  it('points at the end when something is missing there', () => {
    expect(placeIn('a value is missing (at character 7)', 'type =').mark).toEqual({ from: 5, to: 6, kind: 'error' })
    expect(placeIn('must have at most 2000 characters', 'a').mark).toBeNull()
  })

  it('keeps what is about the text apart from what is not', () => {
    const faults = [{ pointer: '/filters/0/sql', detail: 'bad (at character 1)' }, { pointer: '/sink', detail: 'is bad' }]
    expect(placed(faults, [{ sql: 'x' }], 'x').sql).toHaveLength(1)
    expect(unplacedFaults(faults, [{ sql: 'x' }])).toEqual([])
    const rows = [{ exact: { type: 'a' } }, { sql: 'INT(n) <= x' }]
    expect(placed([{ pointer: '/filters/1/sql', detail: 'bad' }], rows, '').sql).toEqual([])
    expect(unplacedFaults([{ pointer: '/filters/1/sql', detail: 'bad' }], rows)).toEqual(['/1/sql bad'])
    expect(unplacedFaults([{ pointer: '/filters/1/sql', detail: 'bad' }], rows, true)).toEqual(['Row 2: bad'])
  })
})

describe('notices', () => {
  it('counts errors by the part they are in', () => {
    const cast = { error: "cast error in `INT(n)`: 'x' is no Integer" }
    expect(noticesOf([cast, { error: null }, { error: 'missingAttribute error in `INT(n)`: there is no n' }, cast, {}])).toEqual([
      { clause: 'INT(n)', text: '2 events cannot be read as a number' },
      { clause: 'INT(n)', text: '1 event without this attribute' },
    ])
  })
})
