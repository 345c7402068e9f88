/** `612 B`, `1.1 kB`, `2.4 MB`: decimal units. */
export function bytes(n: number): string {
  if (n < 1000) return `${String(n)} B`
  if (n < 999_950) return `${(n / 1000).toFixed(1)} kB`
  return `${(n / 1_000_000).toFixed(1)} MB`
}

/** An id cut in its middle. UUIDv7 heads look alike, so the last twelve stay. */
export function shortId(id: string): string {
  return id.length > 24 ? `${id.slice(0, 8)}…${id.slice(-12)}` : id
}

/** Milliseconds since the epoch in the head of a UUIDv7: for an event's uid, when it was received. */
export function timeOf(uuid: string): number {
  return Number.parseInt(uuid.replaceAll('-', '').slice(0, 12), 16)
}

/** `1,284`. */
export function count(n: number): string {
  return n.toLocaleString('en')
}

/** `1 event`, `3 events`. */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`
}

/** A type split into the reverse domain in front, drawn fainter, and what says something: `com.acme.` `order.paid`. */
export function splitType(type: string): [string, string] {
  const parts = type.split('.')
  const head = parts.length > 2 ? parts.slice(0, parts.length - 2).join('.') + '.' : ''
  return [head, type.slice(head.length)]
}

/** The host of a sink, or the text itself when it is no URL. */
export function sinkName(url: string): string {
  try {
    const { host, pathname } = new URL(url)
    return host + (pathname === '/' ? '' : pathname)
  } catch {
    return url
  }
}

/** Sinks beside each other: those that share their host are told apart by their paths. */
export function sinkNames(urls: string[]): string[] {
  const hostOf = (url: string) => sinkName(url).split('/', 1)[0] ?? ''
  const hosts = urls.map(hostOf)
  return urls.map((url, at) => {
    const name = sinkName(url)
    const host = hosts[at] ?? ''
    const shared = host !== '' && name !== host && hosts.filter((other) => other === host).length > 1
    return shared ? `…${name.slice(host.length)}` : name
  })
}

/** A text as one argument of a POSIX shell. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
