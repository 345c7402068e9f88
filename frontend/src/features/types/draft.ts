import { prettyJson } from '@/lib/json'

import type { EventType, Mode, TypeBody } from './queries'

export interface FacetRow {
  name: string
  pointer: string
}

/** What the form holds. `schema` is a JSON text, empty for none. */
export interface Draft {
  type: string
  description: string
  mode: Mode
  facets: FacetRow[]
  schema: string
  /** The URI of the version that a changed schema becomes. */
  dataschema: string
}

export const FRESH: Draft = { type: '', description: '', mode: 'off', facets: [], schema: '', dataschema: '' }

export function draftOf({ type, description, schemaMode, facets, schemas }: EventType): Draft {
  const newest = schemas.at(-1)
  return {
    type,
    description: description ?? '',
    mode: schemaMode,
    facets: Object.entries(facets).map(([name, pointer]) => ({ name, pointer })),
    schema: newest ? prettyJson(newest.schema) : '',
    dataschema: '',
  }
}

/** A JSON text as a value, or what is wrong with it. */
export function readJson(text: string): { value: unknown; fault: '' } | { value: undefined; fault: string } {
  try {
    return { value: JSON.parse(text) as unknown, fault: '' }
  } catch (error) {
    return { value: undefined, fault: error instanceof Error ? error.message : String(error) }
  }
}

/** What is wrong with the text of a schema before anybody is asked; empty for a good one and for none. */
export function schemaFault(text: string): string {
  if (!text.trim()) return ''
  const { value, fault } = readJson(text)
  if (fault) return fault
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? '' : 'A schema is a JSON object.'
}

const same = (a: string, b: string) => a.trim() === b.trim() || JSON.stringify(readJson(a).value ?? a) === JSON.stringify(readJson(b).value ?? b)

/** Whether saving makes a new version. */
export function isNewVersion(draft: Draft, saved: Draft): boolean {
  return draft.schema.trim() !== '' && (!same(draft.schema, saved.schema) || draft.dataschema.trim() !== '')
}

/** Names of facets that are there twice: only one of them could be kept. */
export function repeated(facets: FacetRow[]): string[] {
  const names = facets.map(({ name }) => name.trim()).filter(Boolean)
  return [...new Set(names.filter((name, i) => names.indexOf(name) !== i))]
}

/** The body of a call that saves the draft; a schema is in it when it makes a new version. */
export function bodyOf(draft: Draft, saved: Draft): TypeBody {
  const rows = draft.facets.filter(({ name, pointer }) => name.trim() || pointer.trim())
  return {
    description: draft.description.trim() || null,
    schemaMode: draft.mode,
    facets: Object.fromEntries(rows.map(({ name, pointer }) => [name.trim(), pointer.trim()])),
    ...(isNewVersion(draft, saved) ? { schema: readJson(draft.schema).value as TypeBody['schema'], dataschema: draft.dataschema.trim() || null } : {}),
  }
}

export function isChanged(draft: Draft, saved: Draft): boolean {
  return JSON.stringify([draft.type.trim(), bodyOf(draft, saved)]) !== JSON.stringify([saved.type, bodyOf(saved, saved)])
}

/** The data in what was pasted: of a whole CloudEvent its `data`, otherwise all of it. */
export function dataIn(value: unknown): { data: unknown; event: boolean } {
  if (typeof value === 'object' && value !== null && 'specversion' in value && 'type' in value && 'data' in value) return { data: value.data, event: true }
  return { data: value, event: false }
}

/** Names and pointers to the scalars in some data, to choose facets from. */
export function candidates(data: unknown, limit = 12): FacetRow[] {
  const found: FacetRow[] = []
  const walk = (value: unknown, path: string[]): void => {
    if (found.length >= limit || path.length > 4) return
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      for (const [key, member] of Object.entries(value)) walk(member, [...path, key])
    } else if (path.length && value !== null) {
      const words = path.join(' ').split(/[^a-zA-Z0-9]+/).filter(Boolean)
      const name = words.map((word, i) => (i ? word[0]?.toUpperCase() + word.slice(1) : word[0]?.toLowerCase() + word.slice(1))).join('').replace(/^[^a-z]+/, '').slice(0, 32)
      if (name) found.push({ name, pointer: path.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('') })
    }
  }
  walk(data, [])
  return found
}
