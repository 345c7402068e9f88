import type { MadePasskey, ShownPasskey } from '@/api'

import { ApiError } from './problem'

/** Whether a page at `host` can have passkeys: browsers keep them for names, not for addresses. */
export function isName(host: string): boolean {
  return !/^[\d.]+$/.test(host) && !host.includes(':')
}

/** Whether this browser shows and makes passkeys, in the JSON that Weir speaks. */
export function passkeysWork(): boolean {
  return typeof PublicKeyCredential === 'function' && 'parseRequestOptionsFromJSON' in PublicKeyCredential && isName(window.location.hostname)
}

export async function showPasskey(options: unknown): Promise<ShownPasskey> {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options as PublicKeyCredentialRequestOptionsJSON)
  return told<ShownPasskey>(() => navigator.credentials.get({ publicKey }))
}

export async function makePasskey(options: unknown): Promise<MadePasskey> {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options as PublicKeyCredentialCreationOptionsJSON)
  return told<MadePasskey>(() => navigator.credentials.create({ publicKey }))
}

async function told<T>(ask: () => Promise<Credential | null>): Promise<T> {
  try {
    return ((await ask()) as PublicKeyCredential).toJSON() as T
  } catch (error) {
    throw refusal(error)
  }
}

/** In words: a browser says little, so that a page cannot find out which passkeys there are. */
function refusal(error: unknown): ApiError {
  const name = error instanceof Error ? error.name : ''
  if (name === 'InvalidStateError') return new ApiError(409, 'Not done', 'This device has a passkey of this account already.')
  if (name === 'NotAllowedError' || name === 'AbortError') return new ApiError(400, 'Not done', 'No passkey was shown: it was called off, took too long, or there is none here.')
  return new ApiError(400, 'Not done', 'The browser could not do this with a passkey.')
}
