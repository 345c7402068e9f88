/** How deliveries prove who sends them, as the form holds it. A secret of null leaves the one there is. */
export interface AuthDraft {
  type: 'none' | 'bearer' | 'basic' | 'header' | 'oauth2'
  username: string
  name: string
  tokenUrl: string
  clientId: string
  scope: string
  audience: string
  clientAuthentication: 'basic' | 'post'
  secret: string | null
}

export interface TlsDraft {
  on: boolean
  certificate: string
  ca: string
  privateKey: string | null
}

export const NO_AUTH: AuthDraft = { type: 'none', username: '', name: '', tokenUrl: '', clientId: '', scope: '', audience: '', clientAuthentication: 'basic', secret: null }
export const NO_TLS: TlsDraft = { on: false, certificate: '', ca: '', privateKey: null }

export const AUTH_TYPES: { value: AuthDraft['type']; label: string }[] = [
  { value: 'none', label: 'None' },
  { value: 'bearer', label: 'Bearer token' },
  { value: 'basic', label: 'Basic' },
  { value: 'header', label: 'A header' },
  { value: 'oauth2', label: 'OAuth2 client credentials' },
]

/** The member that is secret, and those that say whose it is: where one of these changes, so does the secret. */
const SECRETS = { bearer: 'token', basic: 'password', header: 'value', oauth2: 'clientSecret' } as const
const HOLDERS: Record<AuthDraft['type'], (keyof AuthDraft)[]> = { none: [], bearer: [], basic: ['username'], header: ['name'], oauth2: ['tokenUrl', 'clientId'] }
const OPTIONAL = ['scope', 'audience'] as const

const text = (value: unknown) => (typeof value === 'string' ? value : '')

/** From what the API shows, which has no secret in it. */
export function authDraftOf(auth: object | null | undefined): AuthDraft {
  if (!auth) return { ...NO_AUTH }
  const given = auth as Record<string, unknown>
  return {
    type: text(given.type) as AuthDraft['type'],
    username: text(given.username),
    name: text(given.name),
    tokenUrl: text(given.tokenUrl),
    clientId: text(given.clientId),
    scope: text(given.scope),
    audience: text(given.audience),
    clientAuthentication: given.clientAuthentication === 'post' ? 'post' : 'basic',
    secret: null,
  }
}

export function authBody(auth: AuthDraft): Record<string, string> | null {
  if (auth.type === 'none') return null
  const body: Record<string, string> = { type: auth.type }
  for (const name of HOLDERS[auth.type]) body[name] = (auth[name] ?? '').trim()
  if (auth.type === 'oauth2') {
    for (const name of OPTIONAL) if (auth[name].trim()) body[name] = auth[name].trim()
    body.clientAuthentication = auth.clientAuthentication
  }
  if (auth.secret) body[SECRETS[auth.type]] = auth.secret
  return body
}

/** The name of the secret member of a type, for the fault that names it. */
export function secretOf(type: AuthDraft['type']): string {
  return type === 'none' ? '' : SECRETS[type]
}

/** Where a secret goes to: scheme, host and port of a sink. */
function originOf(sink: string): string {
  try {
    return new URL(sink.trim()).origin
  } catch {
    return sink.trim()
  }
}

/** What a credential belongs to. */
export interface Holding {
  auth: AuthDraft
  sink: string
}

/** Whether the secret that is kept is the one of this draft, so that it need not be given again; another host gets none. */
export function keepsSecret({ auth, sink }: Holding, saved: Holding): boolean {
  const same = auth.type !== 'none' && auth.type === saved.auth.type && HOLDERS[auth.type].every((name) => (auth[name] ?? '').trim() === saved.auth[name])
  return same && originOf(sink) === originOf(saved.sink)
}

export function tlsDraftOf(tls: object | null | undefined): TlsDraft {
  if (!tls) return { ...NO_TLS }
  const given = tls as Record<string, unknown>
  return { on: true, certificate: text(given.certificate), ca: text(given.ca), privateKey: null }
}

export function tlsBody(tls: TlsDraft): Record<string, string> | null {
  if (!tls.on) return null
  const body: Record<string, string> = {}
  if (tls.certificate.trim()) body.certificate = tls.certificate
  if (tls.ca.trim()) body.ca = tls.ca
  if (tls.privateKey?.trim()) body.privateKey = tls.privateKey
  return body
}
