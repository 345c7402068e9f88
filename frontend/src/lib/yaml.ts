import { stringify } from 'yaml'

export interface YamlToken {
  kind: 'plain' | 'key' | 'string' | 'word'
  text: string
}

/** `value` as `weir … -o yaml` writes it: members in their order, sequences not indented, no line broken. */
export function toYaml(value: unknown): string {
  return stringify(value, { indentSeq: false, lineWidth: 0, nullStr: 'null', aliasDuplicateObjects: false })
}

const LINE = /^(\s*(?:- )*)((?:"(?:[^"\\]|\\.)*"|[^\s"'#:-][^:#]*?)(?=:(?:\s|$)))?(.*)$/
const WORD = /^:?\s*(?:-?\d+(?:\.\d+)?|true|false|null|\[\]|\{\})$/

/** The tokens of what `toYaml` wrote; their texts joined are the text itself. */
export function yamlTokens(text: string): YamlToken[] {
  let block = -1
  return text.split(/(?<=\n)/).flatMap((line): YamlToken[] => {
    const body = line.replace(/\n$/, '')
    const indent = body.search(/\S/)
    // The lines of a text that was written as a block are its own.
    if (block >= 0 && (indent > block || indent < 0)) return [{ kind: 'string', text: line }]
    const [, lead = '', key = '', rest = ''] = LINE.exec(body) ?? []
    block = /[|>][+-]?\d*$/.test(rest) ? indent : -1
    const end = line.slice(body.length)
    return [
      { kind: 'plain', text: lead },
      { kind: 'key', text: key },
      { kind: WORD.test(rest) ? 'word' : 'string', text: rest + end },
    ].filter((token): token is YamlToken => token.text !== '')
  })
}
