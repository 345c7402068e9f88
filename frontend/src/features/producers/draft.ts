import { typedList, typedNumber } from '@/lib/limits'

import type { Producer, ProducerDraft } from './queries'

/** What the form holds: texts, because that is what is typed; patterns are one on a line. */
export interface Draft {
  name: string
  sources: string
  types: string
  rate: string
  burst: string
  /** Whether tokens of an issuer are a credential as well. */
  tokens: boolean
  issuer: string
  audience: string
  subject: string
}

export const FRESH: Draft = { name: '', sources: '', types: '', rate: '', burst: '', tokens: false, issuer: '', audience: '', subject: '' }

const text = (value: number | null) => (value === null ? '' : String(value))

export function draftOf({ name, sources, types, ratePerSecond, burst, oidc }: Producer): Draft {
  return {
    name,
    sources: sources.join('\n'),
    types: types.join('\n'),
    rate: text(ratePerSecond),
    burst: text(burst),
    tokens: oidc !== null,
    issuer: oidc?.issuer ?? '',
    audience: oidc?.audience ?? '',
    subject: oidc?.subject ?? '',
  }
}

/** The body of a call that saves the draft. */
export function bodyOf(draft: Draft): ProducerDraft {
  const oidc = { issuer: draft.issuer.trim(), audience: draft.audience.trim(), subject: draft.subject.trim() }
  return {
    name: draft.name.trim(),
    sources: typedList(draft.sources),
    types: typedList(draft.types),
    ratePerSecond: typedNumber(draft.rate),
    burst: typedNumber(draft.burst),
    oidc: draft.tokens ? oidc : null,
  }
}

export function isChanged(draft: Draft, saved: Draft): boolean {
  return JSON.stringify(bodyOf(draft)) !== JSON.stringify(bodyOf(saved))
}
