import { shortId } from '@/lib/text'

import type { WholeStory } from './queries'

type Sender = NonNullable<WholeStory['sender']>

const ROLES: Record<Sender['kind'], string> = { key: 'API key', user: 'Sent by', producer: 'Producer', source: 'Webhook source', reply: 'Answer of' }

/** Who sent an event, for a reader: `Producer` `storefront` `by key checkout`. */
export function senderWords(sender: Sender): { role: string; name: string; note: string } {
  const known = sender.name ?? (['key', 'user'].includes(sender.kind) ? shortId(sender.id) : sender.id)
  const revoked = sender.revokedAt ? ', revoked since' : ''
  if (sender.kind === 'key' && sender.producer) return { role: ROLES.producer, name: sender.producer, note: `by key ${known}${revoked}` }
  return { role: ROLES[sender.kind], name: known, note: sender.kind === 'producer' ? 'by a token of its issuer' : revoked.slice(2) }
}
