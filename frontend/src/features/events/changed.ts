import type { ExplainEventResponse } from './queries'

type Verdict = Pick<ExplainEventResponse['items'][number], 'subscription' | 'version' | 'state'>

/** What became of the subscriptions between then and now: `2 changed since, 1 made since`; empty where nothing did. */
export function changedWords(then: Verdict[], now: Verdict[]): string {
  const before = new Map(then.map((one) => [one.subscription, one]))
  const after = new Set(now.map(({ subscription }) => subscription))
  const parts: [number, string][] = [
    [now.filter(({ subscription, version }) => before.has(subscription) && before.get(subscription)?.version !== version).length, 'changed'],
    [now.filter(({ subscription }) => !before.has(subscription)).length, 'made'],
    [then.filter(({ subscription }) => !after.has(subscription)).length, 'deleted'],
  ]
  return parts.filter(([n]) => n > 0).map(([n, word]) => `${String(n)} ${word} since`).join(', ')
}
