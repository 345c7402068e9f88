import { reactive } from 'vue'

import { client } from '@/api/client.gen'
import { toApiError } from '@/lib/problem'

import { accessToken, authorizedFetch } from './session'

interface Config {
  /** Where the API is; empty for the origin of the page. */
  apiUrl: string
  version: string
}

export const config = reactive<Config>({ apiUrl: '', version: '' })

/** The address of the API as producers and shells need it: never empty. */
export function publicUrl(): string {
  return config.apiUrl || window.location.origin
}

/** Reads `/config.json`, which the host of the static files writes, and points the client at the API it names. */
export async function loadConfig(): Promise<void> {
  const answer = await fetch('/config.json', { cache: 'no-store' }).catch(() => null)
  if (answer?.ok) Object.assign(config, await answer.json())
  client.setConfig({
    baseUrl: config.apiUrl,
    credentials: 'include',
    fetch: authorizedFetch,
    auth: accessToken,
    responseStyle: 'data',
    throwOnError: true,
  })
  client.interceptors.error.use(toApiError)
}
