import { shellQuote } from './text'

export interface SentRequest {
  url: string
  headers: Record<string, string>
}

/** The request of an attempt as a curl command; `body` is left out where it is not known. */
export function requestAsCurl(request: SentRequest, body?: string): string {
  const lines = [`curl -X POST ${shellQuote(request.url)}`]
  for (const [name, value] of Object.entries(request.headers)) {
    const derived = ['content-length', 'host', 'connection', 'transfer-encoding'].includes(name.toLowerCase())
    if (!derived) lines.push(`-H ${shellQuote(`${name}: ${value}`)}`)
  }
  if (body) lines.push(`--data-raw ${shellQuote(body)}`)
  return lines.join(' \\\n  ')
}

/** A curl command that sends this CloudEvent again, in the structured mode. */
export function eventAsCurl(event: object, ingest: string): string {
  return [
    `curl ${shellQuote(ingest)}`,
    `-H "Authorization: Bearer $WEIR_KEY"`,
    `-H 'content-type: application/cloudevents+json'`,
    `--data-raw ${shellQuote(JSON.stringify(event))}`,
  ].join(' \\\n  ')
}

/** The payload as it was sent: JSON as its text, a string as itself, nothing for none. */
export function payloadText(event: { data?: unknown; data_base64?: string | null }): string | undefined {
  if (event.data_base64) return undefined
  if (event.data === undefined) return undefined
  return typeof event.data === 'string' ? event.data : JSON.stringify(event.data)
}

/** The context attributes of a CloudEvent in the order in which one reads them. */
export function attributesOf(event: object): [string, string][] {
  const first = ['id', 'time', 'source', 'type', 'subject', 'datacontenttype', 'dataschema']
  const all = Object.entries(event).filter(([name, value]) => name !== 'data' && name !== 'data_base64' && value != null)
  const rank = (name: string) => (first.includes(name) ? first.indexOf(name) : first.length)
  return all.sort(([a], [b]) => rank(a) - rank(b)).map(([name, value]) => [name, String(value)])
}
