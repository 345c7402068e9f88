const KEPT = 'weir.invitation'

/** The token of the link that this tab was opened with. It leaves the address at once, and stays for a way round by sign-in. */
export function takeToken(): string {
  const given = new URLSearchParams(window.location.hash.slice(1)).get('token')
  window.history.replaceState(window.history.state, '', '/invitation')
  if (given) sessionStorage.setItem(KEPT, given)
  return given ?? sessionStorage.getItem(KEPT) ?? ''
}

export function forgetToken(): void {
  sessionStorage.removeItem(KEPT)
}
