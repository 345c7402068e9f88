import { computed, shallowRef } from 'vue'

import { askForPasskey, exchangeLink, refreshSession, showSecondFactor, signIn, signInWithPasskey, signOut, type SessionBody, type StepBody } from '@/api'

import { showPasskey } from '@/lib/passkeys'
import { toApiError } from '@/lib/problem'

import { queryClient } from './queries'

/** Says only that a refresh is worth a try; the tokens themselves are in memory and in an HttpOnly cookie. */
const HINT = 'weir.session'

const session = shallowRef<SessionBody | null>(null)

export const user = computed(() => session.value?.user ?? null)
export const signedIn = computed(() => session.value !== null)

export function accessToken(): string | undefined {
  return session.value?.accessToken
}

function hold(next: SessionBody | null): void {
  session.value = next
  if (next) localStorage.setItem(HINT, '1')
  else localStorage.removeItem(HINT)
}

/** `away`: nobody could say, so an earlier session may go on later. */
export type Presence = 'in' | 'out' | 'away'

/** Why nobody could say, while that is so. */
export const unanswered = shallowRef<unknown>(null)

let refreshing: Promise<Presence> | null = null

/** A new access token by the refresh cookie; callers that come together share one call. */
export function refresh(): Promise<Presence> {
  refreshing ??= refreshSession()
    .then((next): Presence => {
      hold(next)
      return 'in'
    })
    .catch((error: unknown): Presence => {
      // Only a refusal ends the session: without a connection, or its store, the next call may still succeed.
      const { status } = toApiError(error)
      if (status === 0 || status >= 500) {
        unanswered.value = error
        return 'away'
      }
      hold(null)
      return 'out'
    })
    .finally(() => {
      refreshing = null
    })
  return refreshing
}

/** Whether somebody is signed in, after the one try to resume an earlier session. */
export async function resume(): Promise<Presence> {
  if (session.value) return 'in'
  return localStorage.getItem(HINT) ? refresh() : 'out'
}

/** `fetch` that on 401 renews the access token and asks once more. */
export async function authorizedFetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const request = new Request(input, init)
  const again = request.headers.has('authorization') ? request.clone() : null
  const answer = await fetch(request)
  if (answer.status !== 401 || !again) return answer
  const presence = await refresh()
  if (presence === 'out') expired()
  if (presence !== 'in') return answer
  again.headers.set('authorization', `Bearer ${accessToken() ?? ''}`)
  return fetch(again)
}

let expired = (): void => undefined

/** What happens when a session has ended on its own. */
export function onExpired(callback: () => void): void {
  expired = callback
}

/** Keeps the session that a way in gave; null when there is one, else what is asked for next. */
export function enter(entered: SessionBody | StepBody): StepBody | null {
  if ('next' in entered) return entered
  hold(entered)
  return null
}

export async function enterByPassword(email: string, password: string): Promise<StepBody | null> {
  return enter(await signIn({ body: { email, password } }))
}

export async function enterByLink(token: string): Promise<StepBody | null> {
  return enter(await exchangeLink({ body: { token } }))
}

export async function enterByCode(ticket: string, code: string): Promise<void> {
  hold(await showSecondFactor({ body: { ticket, code } }))
}

/** Alone, or as the second factor of who has `ticket`. */
export async function enterByPasskey(ticket: string | null): Promise<void> {
  const { publicKey } = await askForPasskey({ body: { ticket } })
  hold(await signInWithPasskey({ body: { ticket, credential: await showPasskey(publicKey) } }))
}

export async function leave(): Promise<void> {
  await signOut().catch(() => undefined)
  forget()
}

/** When the session has ended where it is kept. */
export function forget(): void {
  hold(null)
  queryClient.clear()
}
