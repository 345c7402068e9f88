/** Milliseconds that the parts of an attempt took; null for those that did not happen. */
export interface Timings {
  dnsMs: number | null
  connectMs: number | null
  tlsMs: number | null
  firstByteMs: number | null
  bodyMs: number | null
}

export interface Phase {
  name: string
  ms: number
  /** Shares of the whole: where its bar begins, and how long it is. */
  left: number
  width: number
  /** It took longer than any other. */
  longest: boolean
}

/** The parts of an attempt that happened, each beginning where the one before it ended. */
export function phasesOf({ dnsMs, connectMs, tlsMs, firstByteMs, bodyMs }: Timings): Phase[] {
  const parts = [
    ['DNS', dnsMs],
    ['Connect', connectMs],
    ['TLS', tlsMs],
    ['First byte', firstByteMs],
    ['Body', bodyMs],
  ] as const
  const happened = parts.flatMap(([name, ms]) => (ms == null ? [] : [{ name, ms }]))
  const whole = happened.reduce((sum, { ms }) => sum + ms, 0) || 1
  const most = Math.max(...happened.map(({ ms }) => ms))
  let before = 0
  return happened.map(({ name, ms }) => {
    const phase = { name, ms, left: before / whole, width: ms / whole, longest: ms === most && ms > 0 }
    before += ms
    return phase
  })
}

export interface Connection {
  address: string | null
  tls: string | null
  isNew: boolean
}

/** `new connection to 203.0.113.24, TLS 1.3`. */
export function connectionWords({ address, tls, isNew }: Connection): string {
  const to = address ? ` to ${address}` : ''
  return `${isNew ? 'new' : 'kept'} connection${to}${tls ? `, ${tls.replace(/^TLSv/u, 'TLS ')}` : ''}`
}
