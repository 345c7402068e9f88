import type { Entry, SubscriptionBody } from './queries'

export interface Earlier {
  /** What is sent; members that are not in it stay as they are. */
  body: SubscriptionBody
  /** Why it cannot be: then `body` is of no use. */
  fault: string
}

const MASK = '[redacted'

/** The subscription as it was before an entry; null where there is nothing to go back to. Secrets stay as they are now. */
export function earlier(entry: Pick<Entry, 'thing' | 'action' | 'before' | 'after'>): Earlier | null {
  if (entry.thing.kind !== 'subscription' || entry.before === null || entry.after === null) return null
  const before = entry.before as Record<string, unknown>
  if (!('filters' in before)) return null
  const { name, filters, sink, delivery, transform, state } = before
  const body = { name, filters, sink, delivery, transform, state }
  const fault = JSON.stringify(body).includes(MASK) ? 'It had values that look like secrets, which the log does not keep.' : ''
  return { body: body as SubscriptionBody, fault }
}
