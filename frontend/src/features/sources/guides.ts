import { shellQuote } from '@/lib/text'

import type { Kind, Source } from './queries'

/** Where at a third party the address goes, in its own words; other kinds have their documentation and the hint. */
const PLACES: Record<string, string> = {
  github: 'In the repository or organization: Settings → Webhooks → Add webhook. Paste the address as Payload URL and choose the content type application/json.',
  stripe: 'In the Stripe Dashboard: Developers → Webhooks → Add destination. Paste the address as endpoint URL. Its signing secret is shown there afterwards.',
  shopify: 'In the admin: Settings → Notifications → Webhooks → Create webhook, format JSON. The secret that signs is shown below the list.',
  slack: 'At api.slack.com, in the app: Event Subscriptions → Enable Events. Paste the address as Request URL; Slack checks it at once.',
  'standard-webhooks': 'Where the sender keeps its endpoints. Enter the address, and the same secret on both sides.',
  hmac: 'In the settings of the sender. It signs the body of each request with the secret.',
  plain: 'In the settings of the sender. Where there is a secret, it goes along as Authorization: Bearer or as ?access_token=.',
}

export function placeOf(kind: Kind): string {
  return PLACES[kind.name] ?? kind.secrets.hint
}

/** A request of the kind by hand, where a shell can sign it; empty for the others. */
export function tryOut(source: Source): string {
  const body = `{"hello": "weir"}`
  if (source.kind === 'plain') {
    const name = source.secretCount === 0 ? 'WEIR_KEY' : 'WEIR_SECRET'
    return [`curl ${shellQuote(source.url)} \\`, `  -H "Authorization: Bearer $${name}" \\`, `  -H 'content-type: application/json' \\`, `  -d ${shellQuote(body)}`].join('\n')
  }
  const signs = { hmac: ['X-Signature', ''], github: ['X-Hub-Signature-256', 'sha256='] }[source.kind]
  const settings = Object.keys(source.settings).filter((name) => name !== 'mapping')
  if (!signs || settings.length) return ''
  const [header, prefix] = signs as [string, string]
  return [
    `BODY=${shellQuote(body)}`,
    `SIGNATURE=$(printf %s "$BODY" | openssl dgst -sha256 -hmac "$WEIR_SECRET" | sed 's/.* //')`,
    `curl ${shellQuote(source.url)} \\`,
    `  -H "${header}: ${prefix}$SIGNATURE" \\`,
    ...(source.kind === 'github' ? [`  -H 'X-GitHub-Event: ping' -H "X-GitHub-Delivery: try-$RANDOM" \\`] : []),
    `  -H 'content-type: application/json' \\`,
    `  -d "$BODY"`,
  ].join('\n')
}
