/** CESQL 1.0 as far as the console has to understand it: its grammar, not its evaluation, which is the server's. */

export type Node =
  | { is: 'name'; name: string }
  /** What CESQL cannot see; read only where it is asked for, to say the same in CEL. */
  | { is: 'data'; path: string }
  | { is: 'text'; value: string }
  | { is: 'number'; value: number }
  | { is: 'truth'; value: boolean }
  | { is: 'call'; name: string; args: Expression[] }
  | { is: 'not' | 'minus'; of: Expression }
  | { is: 'exists'; name: string }
  | { is: 'like'; of: Expression; pattern: string; negated: boolean }
  | { is: 'in'; of: Expression; set: Expression[]; negated: boolean }
  | { is: 'binary'; operator: string; left: Expression; right: Expression }

/** A node, and whether it stands in parentheses: `a OR b AND c` without them is read from the left, which few expect. */
export type Expression = Node & { enclosed?: boolean }

interface Token { kind: 'word' | 'number' | 'text' | 'mark' | 'data'; text: string; value: string }

const TOKEN = /\s+|(data(?:\s*\.\s*[A-Za-z_]\w*|\s*\[[^\]]*\])+)|([A-Za-z_][A-Za-z0-9_]*|\d+[A-Za-z_][A-Za-z0-9_]*)|(\d+)|('(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")|(<=|>=|!=|<>|[=<>+\-*/%(),])/suy
const KEYWORDS = new Set(['AND', 'OR', 'XOR', 'NOT', 'LIKE', 'IN', 'EXISTS', 'TRUE', 'FALSE'])
const LEVELS: string[][] = [['AND', 'OR', 'XOR'], ['=', '!=', '<>', '<', '<=', '>', '>='], ['+', '-'], ['*', '/', '%']]
const MAX_DEPTH = 64

/** Whether CESQL can name an attribute so. */
export function isName(text: string): boolean {
  return /^[a-z0-9]*[a-z][a-z0-9]*$/u.test(text) && !KEYWORDS.has(text.toUpperCase())
}

class NoParse extends Error {}

function tokens(text: string): Token[] {
  const found: Token[] = []
  const pattern = new RegExp(TOKEN)
  while (pattern.lastIndex < text.length) {
    const m = pattern.exec(text)
    if (!m) throw new NoParse()
    const [whole, data, word, digits, quoted] = m
    if (data) found.push({ kind: 'data', text: data, value: data })
    else if (word) found.push({ kind: 'word', text: word.toUpperCase(), value: word })
    else if (digits) found.push({ kind: 'number', text: digits, value: digits })
    else if (quoted) found.push({ kind: 'text', text: quoted, value: unquote(quoted) })
    else if (whole.trim()) found.push({ kind: 'mark', text: whole, value: whole })
  }
  return found
}

/** Only the delimiter is escaped in a text; any other backslash stands for itself. */
function unquote(quoted: string): string {
  const delimiter = quoted.charAt(0)
  return quoted.slice(1, -1).replaceAll(`\\${delimiter}`, delimiter)
}

class Parser {
  private at = 0
  private depth = 0
  private readonly tokens: Token[]

  constructor(tokens: Token[], data: boolean) {
    this.tokens = tokens
    if (!data && tokens.some(({ kind }) => kind === 'data')) throw new NoParse()
  }

  whole(): Expression {
    const expression = this.binary(0)
    if (this.at < this.tokens.length) throw new NoParse()
    return expression
  }

  private peek(ahead = 0): string {
    return this.tokens[this.at + ahead]?.text ?? ''
  }

  private take(): Token {
    const token = this.tokens[this.at++]
    if (!token) throw new NoParse()
    return token
  }

  private expect(text: string): void {
    if (this.take().text !== text) throw new NoParse()
  }

  private binary(level: number): Expression {
    const operators = LEVELS[level]
    if (!operators) return this.postfix()
    if (++this.depth > MAX_DEPTH * LEVELS.length) throw new NoParse()
    let left = this.binary(level + 1)
    while (operators.includes(this.peek())) {
      const operator = this.take().text
      left = { is: 'binary', operator: operator === '!=' ? '<>' : operator, left, right: this.binary(level + 1) }
    }
    this.depth--
    return left
  }

  private postfix(): Expression {
    let left = this.unary()
    for (;;) {
      const negated = this.peek() === 'NOT' && ['LIKE', 'IN'].includes(this.peek(1))
      const word = this.peek(negated ? 1 : 0)
      if (word !== 'LIKE' && word !== 'IN') return left
      this.at += negated ? 2 : 1
      if (word === 'IN') left = { is: 'in', of: left, set: this.list(), negated }
      else {
        const pattern = this.take()
        if (pattern.kind !== 'text') throw new NoParse()
        left = { is: 'like', of: left, pattern: pattern.value, negated }
      }
    }
  }

  private unary(): Expression {
    const word = this.peek()
    if (word !== 'NOT' && word !== '-' && word !== 'EXISTS') return this.primary()
    this.at++
    if (word === 'EXISTS') return { is: 'exists', name: this.name(this.take()) }
    if (++this.depth > MAX_DEPTH * LEVELS.length) throw new NoParse()
    const of = this.unary()
    this.depth--
    if (word === '-' && of.is === 'number') return { is: 'number', value: -of.value }
    return { is: word === 'NOT' ? 'not' : 'minus', of }
  }

  private primary(): Expression {
    const token = this.take()
    if (token.kind === 'text') return { is: 'text', value: token.value }
    if (token.kind === 'data') return { is: 'data', path: token.value }
    if (token.kind === 'number') return { is: 'number', value: Number(token.value) }
    if (token.text === '(') {
      const inner = this.binary(0)
      this.expect(')')
      return { ...inner, enclosed: true }
    }
    if (token.text === 'TRUE' || token.text === 'FALSE') return { is: 'truth', value: token.text === 'TRUE' }
    if (this.peek() === '(' && token.kind === 'word' && !KEYWORDS.has(token.text)) return { is: 'call', name: token.text, args: this.list(true) }
    return { is: 'name', name: this.name(token) }
  }

  private list(empty = false): Expression[] {
    this.expect('(')
    if (empty && this.peek() === ')') {
      this.at++
      return []
    }
    const all = [this.binary(0)]
    while (this.peek() === ',') {
      this.at++
      all.push(this.binary(0))
    }
    this.expect(')')
    return all
  }

  private name(token: Token): string {
    if (token.kind !== 'word' || KEYWORDS.has(token.text) || token.value.includes('_')) throw new NoParse()
    return token.value.toLowerCase()
  }
}

/**
 * The expression that a text is, or null when the console cannot tell: then the server says what is wrong. With `data`,
 * `data.order.total` is read too, which no CESQL has.
 */
export function parseCesql(text: string, { data = false } = {}): Expression | null {
  try {
    return new Parser(tokens(text), data).whole()
  } catch (error) {
    if (error instanceof NoParse) return null
    throw error
  }
}

/** Where a text that is not quoted speaks of `data`, as [from, to], which CESQL cannot see; null when it does not. */
export function dataIn(text: string): [number, number] | null {
  for (const m of text.matchAll(/'(?:\\.|[^'\\])*'?|"(?:\\.|[^"\\])*"?|(?<![\w.])(data)\s*(?:\.\s*\w*|\[)/gsu)) {
    if (m[1]) return [m.index, m.index + m[0].length]
  }
  return null
}
