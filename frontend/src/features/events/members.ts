/** What the list can be narrowed by: the names are the API's, and those of the query string. */
export interface Member {
  name: string
  /** What it is called in the field and on a chip: `type:com.acme.*` is typed for `typePrefix`. */
  word: string
  verb: string
  /** It may be given again; any of the values will do. */
  several?: true
  /** Its values are `name:value`. */
  pair?: true
}

export const MEMBERS: Member[] = [
  { name: 'type', word: 'type', verb: 'is', several: true },
  { name: 'typePrefix', word: 'type', verb: 'starts with' },
  { name: 'source', word: 'source', verb: 'is', several: true },
  { name: 'sourcePrefix', word: 'source', verb: 'starts with' },
  { name: 'subject', word: 'subject', verb: 'is', several: true },
  { name: 'subjectPrefix', word: 'subject', verb: 'starts with' },
  { name: 'id', word: 'id', verb: 'is' },
  { name: 'producer', word: 'producer', verb: 'is', several: true },
  { name: 'facet', word: 'facet', verb: 'is', several: true, pair: true },
  { name: 'extension', word: 'extension', verb: 'is', several: true, pair: true },
  { name: 'outcome', word: 'outcome', verb: 'is', several: true },
  { name: 'subscription', word: 'subscription', verb: 'is', several: true },
  { name: 'sink', word: 'sink', verb: 'is', several: true },
  { name: 'statusCode', word: 'code', verb: 'is', several: true },
  { name: 'error', word: 'error', verb: 'has' },
  { name: 'schemaFault', word: 'fault', verb: 'is' },
]

/** What an outcome is called; in the order in which they are shown. */
export const OUTCOMES = {
  delivered: 'All delivered',
  retrying: 'Some retrying',
  dead: 'Some dead',
  pending: 'Pending',
  cancelled: 'Cancelled',
  unmatched: 'No match',
} as const
export type Outcome = keyof typeof OUTCOMES

/** Words that stand for a member as well. */
const ALSO: Record<string, string> = { ext: 'extension', status: 'outcome', statuscode: 'code', statusCode: 'code', schemaFault: 'fault' }

export interface Read {
  /** Names and values, in the order in which they were typed. */
  values: [name: string, value: string][]
  /** What is left, looked for as text. */
  q: string
}

/** Splits at blanks outside quotes; `type:"a b"` is one word. */
function split(text: string): string[] {
  return text.match(/(?:[^\s"]|"(?:\\.|[^"\\])*"?)+/gu) ?? []
}

const unquoted = (value: string) => value.replace(/^"((?:\\.|[^"\\])*)"?$/u, (_, inner: string) => inner.replace(/\\(.)/gu, '$1'))

/**
 * What was typed: `type:a`, `type:com.acme.*`, `code:5xx`, `order:A-1` for one of the `facets` that types declare, and
 * free text. A word that names nothing stays text: times and addresses have colons too.
 */
export function readSearch(text: string, facets: string[] = []): Read {
  const values: Read['values'] = []
  const rest: string[] = []
  for (const word of split(text)) {
    const [, said = '', given = ''] = /^(\w+):(.+)$/su.exec(word) ?? []
    const value = unquoted(given)
    const member = MEMBERS.find((one) => one.word === (ALSO[said] ?? said))
    if (value === '') rest.push(word)
    else if (member?.pair) {
      if (/^\w+:./su.test(value)) values.push([member.name, value])
      else rest.push(word)
    } else if (member?.name === 'schemaFault') values.push(['schemaFault', value === 'no' || value === 'false' ? 'false' : 'true'])
    else if (member) {
      const prefix = value.endsWith('*') && MEMBERS.find((one) => one.name === `${member.name}Prefix`)
      values.push(prefix ? [prefix.name, value.slice(0, -1)] : [member.name, value])
    } else if (facets.includes(said)) values.push(['facet', `${said}:${value}`])
    else rest.push(word)
  }
  return { values: values.filter(([, value]) => value !== ''), q: rest.join(' ') }
}

/** A value as it is typed: in quotes where it has blanks. */
export function written(value: string): string {
  return /[\s"]/u.test(value) ? `"${value.replace(/["\\]/gu, '\\$&')}"` : value
}
