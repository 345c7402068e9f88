import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'

import {
  addPasskey,
  askForNewPasskey,
  beginTotp,
  confirmTotp,
  endSession,
  endSessions,
  getCredentials,
  listSessions,
  removePasskey,
  removeTotp,
  renameMe,
  renamePasskey,
  renewRecoveryCodes,
  setPassword,
  type SetPasswordData,
} from '@/api'
import { proved } from '@/app/proof'
import { makePasskey } from '@/lib/passkeys'

const CREDENTIALS = ['credentials']
const SESSIONS = ['sessions']

export function useCredentials() {
  return useQuery({ queryKey: CREDENTIALS, queryFn: () => getCredentials() })
}

export function useSessions() {
  return useQuery({ queryKey: SESSIONS, queryFn: () => listSessions() })
}

/** A change of what one signs in with: proved where that is asked for, and everything that it may have changed is read again. */
function useChange<T, V>(change: (value: V) => Promise<T>) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (value: V) => proved(() => change(value)),
    onSuccess: () => Promise.all([['me'], CREDENTIALS, SESSIONS].map((queryKey) => client.invalidateQueries({ queryKey }))),
  })
}

export const useSetPassword = () => useChange((body: SetPasswordData['body']) => setPassword({ body }))
export const useRenameMe = () => useChange((name: string) => renameMe({ body: { name } }))
export const useBeginTotp = () => useChange<Awaited<ReturnType<typeof beginTotp>>, undefined>(() => beginTotp())
export const useConfirmTotp = () => useChange((code: string) => confirmTotp({ body: { code } }))
export const useRemoveTotp = () => useChange<unknown, undefined>(() => removeTotp())
export const useRenewCodes = () => useChange<Awaited<ReturnType<typeof renewRecoveryCodes>>, undefined>(() => renewRecoveryCodes())
export const useRemovePasskey = () => useChange((passkey: string) => removePasskey({ path: { passkey } }))
export const useEndSession = () => useChange((session: string) => endSession({ path: { session } }))
export const useEndSessions = () => useChange((others: boolean) => endSessions({ query: { others } }))
export const useRenamePasskey = () => useChange(({ id, name }: { id: string; name: string }) => renamePasskey({ path: { passkey: id }, body: { name } }))

export const useAddPasskey = () =>
  useChange(async (name: string) => {
    const { publicKey } = await askForNewPasskey()
    return addPasskey({ body: { name, credential: await makePasskey(publicKey) } })
  })
