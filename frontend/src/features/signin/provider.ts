import { beginOidc, finishOidc, linkOidc, type FinishOidcResponse } from '@/api'

/** What this tab remembers while the browser is at the provider, or somebody signs in to the account that is to be linked. */
const ROUND = 'weir.oidc'
const TICKET = 'weir.oidc.ticket'

interface Round {
  state: string
  name: string
  to: string
  invitation?: string
}

interface Ticket {
  ticket: string
  email: string
  name: string
  to: string
}

/** Leaves for the provider, to come back to `to` in the end. */
export async function goToProvider(name: string, to: string, invitation?: string): Promise<void> {
  const { authorizationUrl } = await beginOidc()
  const url = new URL(authorizationUrl)
  if (!/^https?:$/.test(url.protocol)) throw new Error('The provider has no address that a browser goes to.')
  const round: Round = { state: url.searchParams.get('state') ?? '', name, to, invitation }
  sessionStorage.setItem(ROUND, JSON.stringify(round))
  window.location.assign(url)
}

/** What this tab began, if `state` is that of it; once. */
export function takeRound(state: string): Round | null {
  const round = take<Round>(ROUND)
  return round?.state === state ? round : null
}

/** Hands on what the provider has put in the address. */
export function finishRound(round: Round, code: string, iss: string | null): Promise<FinishOidcResponse> {
  return finishOidc({ body: { state: round.state, code, iss, invitation: round.invitation ?? null } })
}

export function keepTicket(ticket: Ticket): void {
  sessionStorage.setItem(TICKET, JSON.stringify(ticket))
}

export function takeTicket(): Ticket | null {
  return take<Ticket>(TICKET)
}

/** Has the account that is signed in to belong to the provider's from now on. */
export function linkAccount({ ticket }: Ticket): Promise<unknown> {
  return linkOidc({ body: { ticket } })
}

function take<T>(name: string): T | null {
  const text = sessionStorage.getItem(name)
  sessionStorage.removeItem(name)
  return text === null ? null : (JSON.parse(text) as T)
}

/** In words of ours: what is in the address anybody may have written. */
export function refusal(error: string, name: string): string {
  if (error === 'access_denied') return `You did not let ${name} sign you in, or may not come in by it.`
  if (error === 'login_required' || error === 'interaction_required' || error === 'consent_required') return `${name} wants to ask you something first. Begin again.`
  if (error === 'temporarily_unavailable' || error === 'server_error') return `${name} cannot sign anybody in at the moment. Try again in a while.`
  return `${name} did not sign you in (${error.replace(/[^a-z_]/g, '').slice(0, 40)}). Whoever runs this Weir can find out why.`
}
