import { plural } from '@/lib/text'

import { AUTH_TYPES } from './authDraft'
import type { Draft } from './draft'

/** What a closed section says of itself. `count` is how many secrets are kept, null when they cannot be opened. */
export function signatureSummary(secrets: string | null, count: number | null): string {
  if (secrets !== null) {
    const given = secrets.split(/\s+/u).filter(Boolean)
    return given.length ? `Standard Webhooks, ${plural(given.length, 'new secret')} when saved` : 'not signed any more when saved'
  }
  if (count === null) return 'the secrets can no longer be opened'
  return count ? `Standard Webhooks, ${plural(count, 'live secret')}` : 'not signed'
}

export function transformSummary(transform: string): string {
  const [first = '', ...more] = transform.trim().split('\n')
  if (!first) return 'none, the event is sent as stored'
  return `JSONata ${first}${more.length ? ' …' : ''}`
}

export function headersSummary({ headers, extensions, auth, tls }: Pick<Draft, 'headers' | 'extensions' | 'auth' | 'tls'>): string {
  const parts = headers.map(({ name }) => name.trim()).filter(Boolean)
  if (auth.type !== 'none') {
    const label = AUTH_TYPES.find(({ value }) => value === auth.type)?.label ?? auth.type
    parts.push(auth.type === 'header' ? `${auth.name.trim() || 'a header'} (secret)` : auth.type === 'basic' ? `Basic as ${auth.username.trim() || '…'}` : label)
  }
  if (tls.on) parts.push(tls.certificate.trim() ? 'client certificate' : 'own CA')
  const added = extensions.map(({ name }) => name.trim()).filter(Boolean)
  if (added.length) parts.push(`attributes ${added.join(', ')}`)
  return parts.join(', ') || 'none but the event’s own'
}
