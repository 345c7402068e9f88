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

const EMITTED = { type: '-t', source: '-s', subject: '--subject', id: '--id' } as const

/** A `weir emit` command that sends this CloudEvent again; `--id` makes it a copy, which is recognised. */
export function eventAsEmit(event: { data?: unknown; data_base64?: string | null }): string {
  const { data, data_base64: binary, specversion, ...attributes } = event as Record<string, unknown>
  const words: string[] = []
  for (const [name, value] of Object.entries(attributes)) {
    if (value == null) continue
    const text = String(value)
    if (Object.hasOwn(EMITTED, name)) words.push(`${EMITTED[name as keyof typeof EMITTED]} ${shellQuote(text)}`)
    else if (name === 'datacontenttype') words.push(`--content-type ${shellQuote(text)}`)
    else words.push(`--ext ${shellQuote(`${name}=${text}`)}`)
  }
  if (specversion !== undefined && specversion !== '1.0') words.push(`--ext ${shellQuote(`specversion=${String(specversion)}`)}`)
  if (typeof binary === 'string') return `base64 -d <<< ${shellQuote(binary)} | weir emit ${[...words, '-d @-'].join(' \\\n  ')}`
  if (data !== undefined) words.push(`-d ${shellQuote(typeof data === 'string' && !isJson(attributes.datacontenttype) ? data : JSON.stringify(data))}`)
  return `weir emit ${words.join(' \\\n  ')}`
}

function isJson(contentType: unknown): boolean {
  return contentType == null || /json/u.test(String(contentType as string))
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
