import type { Known } from './filter'
import { MEMBERS, OUTCOMES, readSearch, written } from './members'
import type { FacetCounts } from './queries'

/** Something that can stand in the place of the word that is being typed. */
export interface Suggestion {
  label: string
  note: string
  /** The word in full; one that ends in a colon waits for its value. */
  word: string
}

const AT_MOST = 8
const CODES = ['5xx', '4xx', '3xx', 'none', '503', '500', '429', '404', '422']

/** The word at the end of what was typed, which is the one that is completed. */
export function lastWord(text: string): string {
  return /(?:[^\s"]|"(?:\\.|[^"\\])*"?)*$/u.exec(text)?.[0] ?? ''
}

/** What could be meant by the last word: a name to narrow by, or after its colon a value of it. */
export function suggest(text: string, known: Known & { types: string[] }, counts?: FacetCounts): Suggestion[] {
  const word = lastWord(text)
  if (word === '') return []
  const [, name, start = ''] = /^(\w+):(.*)$/su.exec(word) ?? []
  if (name === undefined) return namesFor(word.toLowerCase(), known)
  return valuesOf(name, known, counts)
    .filter(({ label }) => label.toLowerCase().includes(start.replaceAll('"', '').toLowerCase()))
    .filter((one) => one.word !== word)
    .slice(0, AT_MOST)
}

function namesFor(start: string, known: Known): Suggestion[] {
  const members = [...new Set(MEMBERS.filter(({ name }) => name !== 'facet').map(({ word }) => word))]
  const notes: Record<string, string> = { type: 'or type:com.acme.* for a beginning', extension: 'such as extension:partitionkey:C-7', code: 'what the sink answered last: 503, 5xx, none', error: 'text in the error of an attempt', fault: 'what its schema had against it' }
  return [
    ...members.map((word) => ({ label: `${word}:`, note: notes[word] ?? '', word: `${word}:` })),
    ...Object.entries(known.pointers).map(([facet, pointer]) => ({ label: `${facet}:`, note: `data ${pointer}`, word: `${facet}:` })),
  ]
    .filter(({ label }) => label.startsWith(start))
    .slice(0, AT_MOST)
}

function valuesOf(name: string, known: Known & { types: string[] }, counts?: FacetCounts): Suggestion[] {
  const counted = (kind: string, of = kind) => counts?.items.find((body) => body.kind === kind && body.name === of)?.values ?? []
  const listed = (values: string[], note = '') => values.map((value) => ({ label: value, note, word: `${name}:${written(value)}` }))
  if (name === 'type') return listed([...new Set([...counted('type').map(({ value }) => value), ...known.types])])
  if (name === 'source') return listed(counted('source').map(({ value }) => value))
  if (name === 'outcome') return Object.entries(OUTCOMES).map(([value, label]) => ({ label: value, note: label, word: `outcome:${value}` }))
  if (name === 'code') return listed(CODES)
  if (name === 'fault') return listed(['any', 'none']).map((one) => ({ ...one, word: one.label === 'any' ? 'fault:any' : 'fault:no' }))
  if (name === 'subscription') return Object.entries(known.subscriptions).map(([id, label]) => ({ label, note: 'subscription', word: `subscription:${id}` }))
  if (name in known.pointers) return listed(counted('facet', name).map(({ value }) => value), `data ${known.pointers[name] ?? ''}`)
  return []
}

/** What was typed, with the suggestion in the place of the last word. */
export function complete(text: string, { word }: Suggestion): string {
  return text.slice(0, text.length - lastWord(text).length) + word
}

/** Whether the word that was completed says something by itself. */
export function isWhole({ word }: Suggestion, known: Known): boolean {
  return readSearch(word, Object.keys(known.pointers)).values.length > 0
}
