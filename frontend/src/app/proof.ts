import { shallowRef } from 'vue'

import { toApiError } from '@/lib/problem'

interface Asking {
  given: () => void
  calledOff: () => void
}

/** Set while somebody is asked to prove anew who they are. */
export const asking = shallowRef<Asking | null>(null)

/** Thrown by `proved` when nobody did. */
export class CalledOff extends Error {}

/** Does it, and where that asks for a recent proof of who is there, once more when it was given. */
export async function proved<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    if (toApiError(error).kind !== 'proof-needed') throw error
  }
  await new Promise<void>((resolve, reject) => {
    asking.value = {
      given: resolve,
      calledOff: () => {
        reject(new CalledOff())
      },
    }
  }).finally(() => {
    asking.value = null
  })
  return act()
}
