import { describe, expect, it } from 'vitest'

import { codeLines, lineOf, tokenAt, utf16Offset } from './code'

const joined = (lines: { text: string }[][]) => lines.map((line) => line.map(({ text }) => text).join('')).join('\n')

describe('code', () => {
  it.each(['', '\n', "type = 'a'\nAND subject LIKE 'x%'", "'open\nnext", '😀 = "ä"\n\n', 'a\t=\r\n b'])('keeps %j as it is', (text) => {
    expect(joined(codeLines(text, 'cesql', []))).toBe(text)
    expect(joined(codeLines(text, 'cesql', [{ from: 1, to: 4, kind: 'error' }]))).toBe(text)
  })

  it('knows the keywords of each language, not within texts', () => {
    const words = (text: string, language: 'cesql' | 'cel') => codeLines(text, language, []).flat().filter(({ keyword }) => keyword).map((piece) => piece.text)
    expect(words("type = 'AND' and NOT id in ('a')", 'cesql')).toEqual(['and', 'NOT', 'in'])
    expect(words("type in ['a'] AND true", 'cel')).toEqual(['in', 'true'])
  })

  it('cuts where a mark begins and ends', () => {
    const pieces = codeLines('type = id', 'cesql', [{ from: 2, to: 6, kind: 'error' }]).flat()
    expect(pieces.filter(({ mark }) => mark).map(({ text }) => text).join('')).toBe('pe =')
  })

  it('finds places', () => {
    expect(utf16Offset('😀ab', 2)).toBe(3)
    expect(utf16Offset('ab', 9)).toBe(2)
    expect(tokenAt('type = = 4', 7)).toEqual([7, 8])
    expect(tokenAt('type =', 6)).toEqual([5, 6])
    expect(tokenAt('', 0)).toEqual([0, 1])
    expect(lineOf('a\nb\nc', 2)).toBe(1)
  })
})
