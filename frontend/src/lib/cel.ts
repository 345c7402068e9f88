import { parseCesql, type Expression } from './cesql'

/** Attributes with a variable of their own; all others, and the question whether one is there, go through `event`. */
const BARE = new Set(['id', 'source', 'specversion', 'type', 'subject', 'time', 'datacontenttype', 'dataschema'])
const OPERATORS: Record<string, string> = { AND: '&&', OR: '||', XOR: '!=', '=': '==', '<>': '!=' }
const FUNCTIONS: Record<string, string> = { INT: 'int', STRING: 'string', BOOL: 'bool', LENGTH: 'size' }
const LOGIC = new Set(['AND', 'OR', 'XOR'])

class Untranslatable extends Error {}

const quote = (value: string) => `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`

function like(of: string, pattern: string): string {
  const parts = [...pattern.matchAll(/\\([%_])|([%_])|([^%_])/gsu)].map(([, escaped, wild, rest]) => ({ wild, text: escaped ?? rest ?? '' }))
  const wilds = parts.filter(({ wild }) => wild)
  const value = parts.map(({ text }) => text).join('')
  if (!wilds.length) return `${of} == ${quote(value)}`
  if (wilds.length === 1 && wilds[0]?.wild === '%' && value) {
    if (parts.at(-1)?.wild) return `${of}.startsWith(${quote(value)})`
    if (parts[0]?.wild) return `${of}.endsWith(${quote(value)})`
  }
  const expression = parts.map(({ wild, text }) => (wild === '%' ? '.*' : wild ? '.' : text.replace(/[.*+?^${}()|[\]\\]/gu, '\\$&'))).join('')
  return `${of}.matches(${quote(`^${expression}$`)})`
}

function write(e: Expression): string {
  const text = bare(e)
  return e.enclosed && e.is === 'binary' ? `(${text})` : text
}

function bare(e: Expression): string {
  switch (e.is) {
    case 'name':
      return BARE.has(e.name) ? e.name : `event.${e.name}`
    case 'data':
      return e.path
    case 'text':
      return quote(e.value)
    case 'number':
    case 'truth':
      return String(e.value)
    case 'exists':
      return `has(event.${e.name})`
    case 'not':
      return e.of.is === 'binary' || e.of.is === 'in' || e.of.is === 'like' ? `!(${bare(e.of)})` : `!${write(e.of)}`
    case 'minus':
      return `-${write(e.of)}`
    case 'like':
      return e.negated ? `!(${like(write(e.of), e.pattern)})` : like(write(e.of), e.pattern)
    case 'in': {
      const text = `${write(e.of)} in [${e.set.map(write).join(', ')}]`
      return e.negated ? `!(${text})` : text
    }
    case 'call': {
      const [argument, ...more] = e.args
      const name = FUNCTIONS[e.name]
      if (!name || !argument || more.length) throw new Untranslatable()
      return `${name}(${write(argument)})`
    }
    case 'binary': {
      const [left, right] = [e.left, e.right].map((side) => {
        // All three bind alike in CESQL, and from the left; in CEL they do not.
        const mixed = side.is === 'binary' && LOGIC.has(side.operator) && side.operator !== e.operator
        return mixed && !side.enclosed ? `(${bare(side)})` : write(side)
      })
      const gap = e.operator === 'AND' && !e.enclosed ? '\n' : ' '
      return `${left ?? ''}${gap}${OPERATORS[e.operator] ?? e.operator} ${right ?? ''}`
    }
  }
}

/** What a CESQL text says, in CEL, for somebody to go on from; empty where that is not clear. It may speak of `data`. */
export function celFrom(cesql: string): string {
  const expression = parseCesql(cesql, { data: true })
  try {
    return expression ? write(expression) : ''
  } catch (error) {
    if (error instanceof Untranslatable) return ''
    throw error
  }
}
