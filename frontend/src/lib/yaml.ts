import { stringify } from 'yaml'

export interface YamlToken {
  kind: 'plain' | 'key' | 'string' | 'word'
  text: string
}

/**
 * `value` as `weir … -o yaml` writes it: members in their order, sequences not indented, no line broken. Texts that YAML 1.1
 * takes for something else, such as instants and `yes`, are quoted: the command reads that version.
 */
export function toYaml(value: unknown): string {
  return stringify(value, { indentSeq: false, lineWidth: 0, nullStr: 'null', aliasDuplicateObjects: false, singleQuote: true, compat: 'yaml-1.1' })
}

const LINE = /^(\s*(?:- )*)((?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s"'#:-][^:#]*?)(?=:(?:\s|$)))?(.*)$/
const WORD = /^\s*(?:-?\d+(?:\.\d+)?|true|false|null|\[\]|\{\})$/

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
    const colon = key ? 1 : 0
    const value = rest.slice(colon)
    return [
      { kind: 'plain', text: lead },
      { kind: 'key', text: key },
      { kind: 'plain', text: rest.slice(0, colon) },
      { kind: WORD.test(value) ? 'word' : 'string', text: value + line.slice(body.length) },
    ].filter((token): token is YamlToken => token.text !== '')
  })
}
