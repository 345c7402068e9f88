export type Language = 'cesql' | 'cel' | 'jsonata'

const KEYWORDS: Record<Language, RegExp> = {
  cesql: /^(?:and|or|xor|not|like|in|exists|true|false)$/iu,
  cel: /^(?:in|true|false|null)$/u,
  jsonata: /^(?:and|or|in|true|false|null|function)$/u,
}

/** A place that something is said of: UTF-16 offsets of the whole text, `to` exclusive. */
export interface Mark {
  from: number
  to: number
  kind: 'error' | 'warning'
}

export interface Piece {
  text: string
  keyword: boolean
  mark: Mark['kind'] | null
}

const TOKEN = /("(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?)|[A-Za-z_$][\w$]*|\s+|[^\sA-Za-z_$"']+/gsu

/** The lines of a text in pieces, coloured by its language and cut where a mark begins or ends. */
export function codeLines(text: string, language: Language, marks: Mark[]): Piece[][] {
  const lines: Piece[][] = [[]]
  const cuts = [...new Set(marks.flatMap(({ from, to }) => [from, to]))]
  for (const m of text.matchAll(TOKEN)) {
    const keyword = !m[1] && KEYWORDS[language].test(m[0])
    const end = m.index + m[0].length
    const borders = [m.index, ...cuts.filter((cut) => cut > m.index && cut < end).sort((a, b) => a - b), end]
    for (const [i, from] of borders.slice(0, -1).entries()) {
      const mark = marks.find((one) => one.from <= from && from < one.to)?.kind ?? null
      for (const [n, part] of text.slice(from, borders[i + 1]).split('\n').entries()) {
        if (n) lines.push([])
        if (part) lines.at(-1)?.push({ text: part, keyword, mark })
      }
    }
  }
  return lines
}

/** The UTF-16 offset of the place after so many characters (code points), as servers count them. */
export function utf16Offset(text: string, characters: number): number {
  let offset = 0
  for (const character of text) {
    if (characters-- <= 0) break
    offset += character.length
  }
  return offset
}

/** The word, text or sign that begins at an offset, or the last character where nothing does. */
export function tokenAt(text: string, offset: number): [number, number] {
  for (const m of text.matchAll(TOKEN)) {
    const end = m.index + m[0].length
    if (offset < end && m[0].trim()) return [Math.max(offset, m.index), end]
  }
  return [Math.max(0, text.trimEnd().length - 1), Math.max(1, text.length)]
}

/** Which line, from 0, an offset stands in. */
export function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length - 1
}
