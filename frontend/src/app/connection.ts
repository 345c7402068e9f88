import { ApiError } from '@/lib/problem'

/** For so long one look at why an API of another origin does not answer is good for all calls. */
const FRESH_MS = 3_000

const forbidden = new Set<string>()

window.addEventListener('securitypolicyviolation', ({ blockedURI, effectiveDirective }) => {
  if (effectiveDirective === 'connect-src' && URL.canParse(blockedURI)) forbidden.add(new URL(blockedURI).origin)
})

let looking: Promise<ApiError> | null = null

/** What to tell of a call that the browser let nobody answer. It says the same to scripts whatever the reason was. */
export function whyUnanswered(apiUrl: string): Promise<ApiError> {
  if (!looking) {
    looking = look(apiUrl)
    setTimeout(() => (looking = null), FRESH_MS)
  }
  return looking
}

async function look(apiUrl: string): Promise<ApiError> {
  // These are open to every page, so they tell an API that refuses this one from an API that is away.
  const there = await fetch(`${apiUrl}/.well-known/jwks.json`, { credentials: 'omit', cache: 'no-store' }).then(
    ({ ok }) => ok,
    () => false,
  )
  if (there) {
    return new ApiError(0, 'Not allowed from here', `${apiUrl} answers, but not to pages of ${window.location.origin}. Whoever runs it adds that to WEIR_CONSOLE_ORIGINS.`)
  }
  if (forbidden.has(apiUrl)) {
    return new ApiError(0, 'Not allowed from here', `The Content-Security-Policy of this page does not let it call ${apiUrl}. Whoever serves the page adds that to connect-src.`)
  }
  return new ApiError(0, 'No connection', `${apiUrl} did not answer. It is tried again on its own.`)
}
