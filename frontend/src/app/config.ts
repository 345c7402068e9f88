import { reactive } from 'vue'

import { client } from '@/api/client.gen'
import { parseConfig, type Config } from '@/lib/config'
import { toApiError } from '@/lib/problem'

import { whyUnanswered } from './connection'
import { accessToken, authorizedFetch } from './session'

export const config = reactive<Config>({ apiUrl: '', version: '' })

/** The address of the API as producers and shells need it: never empty. */
export function publicUrl(): string {
  return config.apiUrl || window.location.origin
}

/**
 * Reads `/config.json`, which the host of the static files writes, and points the client at the API it names.
 * Throws an Error that says why it cannot be used.
 */
export async function loadConfig(): Promise<void> {
  const answer = await fetch('/config.json', { cache: 'no-store' }).catch(() => null)
  if (!answer) throw new Error('The host of this page did not answer.')
  if (!answer.ok) throw new Error(`The host of this page answered ${String(answer.status)}.`)
  Object.assign(config, parseConfig(await answer.text(), new URL(window.location.href)))
  client.setConfig({
    baseUrl: config.apiUrl,
    credentials: 'include',
    fetch: authorizedFetch,
    auth: accessToken,
    responseStyle: 'data',
    throwOnError: true,
  })
  client.interceptors.error.use(async (error, response?: Response) =>
    response || !config.apiUrl || (error as Error).name === 'AbortError' ? toApiError(error, response) : whyUnanswered(config.apiUrl),
  )
}
