export interface Config {
  /** The origin of the API; empty for that of the page. */
  apiUrl: string
  version: string
}

/**
 * The text of `/config.json` for a page at `page`. Throws an Error that says what is wrong with it: a host that answers
 * every unknown address with the page answers this one with it too when the file is missing.
 */
export function parseConfig(text: string, page: URL): Config {
  let read: unknown
  try {
    read = JSON.parse(text)
  } catch {
    throw new Error(text.trimStart().startsWith('<') ? 'A page of HTML came instead of JSON: the file is probably not there.' : 'It is not JSON.')
  }
  if (typeof read !== 'object' || read === null || Array.isArray(read)) throw new Error('It is not a JSON object.')
  const { apiUrl = '', version = '' } = read as Record<string, unknown>
  if (typeof apiUrl !== 'string') throw new Error('Its "apiUrl" is not a text.')
  return { apiUrl: apiUrl && originOf(apiUrl, page), version: typeof version === 'string' ? version : '' }
}

function originOf(apiUrl: string, page: URL): string {
  const url = URL.canParse(apiUrl) ? new URL(apiUrl) : null
  if (!url || !/^https?:$/.test(url.protocol)) throw new Error(`Its "apiUrl" is no address: ${apiUrl}. Write it like https://api.example.com.`)
  if (url.pathname !== '/' || url.search || url.hash || url.username) throw new Error(`Its "apiUrl" is more than an origin: ${apiUrl}. Write ${url.origin}.`)
  const local = /^(localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname)
  if (page.protocol === 'https:' && url.protocol === 'http:' && !local) {
    throw new Error(`Its "apiUrl" is ${url.origin}, but browsers let no page that came by https call an address by http.`)
  }
  return url.origin === page.origin ? '' : url.origin
}
