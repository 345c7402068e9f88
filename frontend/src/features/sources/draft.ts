import { prettyJson } from '@/lib/json'
import { typedNumber } from '@/lib/limits'

import type { Kind, NewSource, Source, SourceChange } from './queries'

/** The settings that are texts or numbers, with the words of the form; `mapping` is edited as JSON. */
export const FIELDS = [
  { name: 'header', label: 'Header with the signature', placeholder: 'X-Signature' },
  { name: 'prefix', label: 'Before the signature', placeholder: 'sha256=' },
  { name: 'separator', label: 'Between several signatures', options: [',', ' ', ';'] },
  { name: 'algorithm', label: 'Algorithm', options: ['sha256', 'sha512', 'sha1', 'ed25519'] },
  { name: 'encoding', label: 'Signature written in', options: ['hex', 'base64'] },
  { name: 'secretEncoding', label: 'Secret written in', options: ['raw', 'hex', 'base64'] },
  { name: 'signed', label: 'Text that is signed', placeholder: '{timestamp}.{body}' },
  { name: 'timestampHeader', label: 'Header with the time', placeholder: 'X-Timestamp' },
  { name: 'idHeader', label: 'Header with the id', placeholder: 'X-Id' },
  { name: 'toleranceSeconds', label: 'Time may differ by', placeholder: '300', unit: 's' },
] as const

export interface Draft {
  name: string
  /** Whether Weir makes the secret, where the kind lets it. */
  making: boolean
  secret: string
  /** What was typed for each setting; an empty text leaves it as the kind says. */
  settings: Record<string, string>
  /** Templates as JSON; empty for none. */
  mapping: string
  rate: string
  burst: string
}

export const FRESH: Draft = { name: '', making: true, secret: '', settings: {}, mapping: '', rate: '', burst: '' }

export function draftOf({ name, settings, ratePerSecond, burst }: Source): Draft {
  const { mapping, ...rest } = settings
  return {
    ...FRESH,
    name,
    settings: Object.fromEntries(Object.entries(rest).filter(([, value]) => value != null).map(([key, value]) => [key, String(value)])),
    mapping: mapping && Object.keys(mapping).length ? prettyJson(mapping) : '',
    rate: ratePerSecond == null ? '' : String(ratePerSecond),
    burst: burst == null ? '' : String(burst),
  }
}

/** What is wrong with the text of the mapping; empty when it is JSON or nothing. */
export function mappingFault(text: string): string {
  if (!text.trim()) return ''
  try {
    const read: unknown = JSON.parse(text)
    return typeof read === 'object' && read !== null && !Array.isArray(read) ? '' : 'must be an object of attributes and templates'
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function settingsOf(draft: Draft, kind: Kind, kept: Source['settings'] = {}): Source['settings'] {
  // What this form does not show, such as a separator of null, stays as it is.
  const given: Record<string, unknown> = Object.fromEntries(Object.entries(kept).filter(([, value]) => value === null))
  for (const { name } of FIELDS) {
    const text = draft.settings[name] ?? ''
    const said = name === 'separator' ? text !== '' : text.trim() !== ''
    if (!said || !kind.settings.includes(name)) continue
    given[name] = name === 'toleranceSeconds' ? typedNumber(text) : name === 'separator' ? text : text.trim()
  }
  if (draft.mapping.trim() && !mappingFault(draft.mapping)) given.mapping = JSON.parse(draft.mapping)
  return given as Source['settings']
}

const limitOf = (draft: Draft) => ({ ratePerSecond: typedNumber(draft.rate), burst: typedNumber(draft.burst) })

/** The body that makes a source. */
export function newBody(draft: Draft, kind: Kind): NewSource {
  const own = !(draft.making && kind.secrets.generated) && draft.secret.trim() !== ''
  return {
    name: draft.name.trim(),
    kind: kind.name,
    settings: settingsOf(draft, kind),
    ...(own ? { secrets: [draft.secret.trim()] } : {}),
    ...limitOf(draft),
  }
}

/** The body that changes one; its secrets stay. */
export function changeBody(draft: Draft, kind: Kind, kept: Source): SourceChange {
  return { settings: settingsOf(draft, kind, kept.settings), ...limitOf(draft) }
}

export function isChanged(draft: Draft, saved: Draft): boolean {
  const told = ({ settings, mapping, rate, burst }: Draft) => {
    const given = Object.entries(settings).filter(([, text]) => text !== '').sort(([a], [b]) => (a < b ? -1 : 1))
    return JSON.stringify([given, mapping.trim(), rate.trim(), burst.trim()])
  }
  return told(draft) !== told(saved)
}
