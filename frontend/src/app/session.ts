import { computed, shallowRef } from 'vue'

import { exchangeLink, refreshSession, signIn, signOut, type SignInResponse } from '@/api'

import { queryClient } from './queries'

/** Says only that a refresh is worth a try; the tokens themselves are in memory and in an HttpOnly cookie. */
const HINT = 'weir.session'

const session = shallowRef<SignInResponse | null>(null)

export const user = computed(() => session.value?.user ?? null)
export const signedIn = computed(() => session.value !== null)

export function accessToken(): string | undefined {
  return session.value?.accessToken
}

function hold(next: SignInResponse | null): void {
  session.value = next
  if (next) localStorage.setItem(HINT, '1')
  else localStorage.removeItem(HINT)
}

let refreshing: Promise<boolean> | null = null

/** A new access token by the refresh cookie; callers that come together share one call. */
export function refresh(): Promise<boolean> {
  refreshing ??= refreshSession()
    .then((next) => {
      hold(next)
      return true
    })
    .catch((error: unknown) => {
      // Only an answer ends the session: without a connection the next call may still succeed.
      if ((error as { status?: number }).status !== 0) hold(null)
      return false
    })
    .finally(() => {
      refreshing = null
    })
  return refreshing
}

/** Whether somebody is signed in, after the one try to resume an earlier session. */
export async function resume(): Promise<boolean> {
  if (session.value) return true
  return localStorage.getItem(HINT) ? refresh() : false
}

/** `fetch` that on 401 renews the access token and asks once more. */
export async function authorizedFetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const request = new Request(input, init)
  const again = request.headers.has('authorization') ? request.clone() : null
  const answer = await fetch(request)
  if (answer.status !== 401 || !again) return answer
  if (!(await refresh())) {
    expired()
    return answer
  }
  again.headers.set('authorization', `Bearer ${accessToken() ?? ''}`)
  return fetch(again)
}

let expired = (): void => undefined

/** What happens when a session has ended on its own. */
export function onExpired(callback: () => void): void {
  expired = callback
}

export async function enterByPassword(email: string, password: string): Promise<void> {
  hold(await signIn({ body: { email, password } }))
}

export async function enterByLink(token: string): Promise<void> {
  hold(await exchangeLink({ body: { token } }))
}

export async function leave(): Promise<void> {
  await signOut().catch(() => undefined)
  hold(null)
  queryClient.clear()
}
