import { describe, expect, it } from 'vitest'

import { jsonTokens } from './json'
import { hasPointer, readPointer, tokenPointers, writePointer } from './pointers'

describe('pointers', () => {
  it('are read and written', () => {
    expect(readPointer('#/a~1b/0/c~0')).toEqual(['a/b', '0', 'c~'])
    expect(readPointer('')).toEqual([])
    expect(readPointer('a')).toBeNull()
    expect(writePointer(['a/b', 0, 'c~'])).toBe('/a~1b/0/c~0')
  })

  it('find what is there', () => {
    const document = { a: [{ b: null }] }
    expect(hasPointer(document, ['a', '0', 'b'])).toBe(true)
    expect(hasPointer(document, ['a', '1'])).toBe(false)
    expect(hasPointer(document, ['a', '0', 'b', 'c'])).toBe(false)
    expect(hasPointer(document, ['toString'])).toBe(false)
  })

  it('belong to the tokens of a text', () => {
    const tokens = jsonTokens('{"a": [1, {"b/c": null}], "d": "x,]"}')
    const pointed = tokens.flatMap(({ text }, i) => (tokenPointers(tokens)[i] === null ? [] : [[text, tokenPointers(tokens)[i]]]))
    expect(pointed).toEqual([
      ['"a"', '/a'],
      ['1', '/a/0'],
      ['"b/c"', '/a/1/b~1c'],
      ['null', '/a/1/b~1c'],
      ['"d"', '/d'],
      ['"x,]"', '/d'],
    ])
  })
})
