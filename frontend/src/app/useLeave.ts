import { useRouter } from 'vue-router'

import { leave } from './session'

/** Signs out and shows the page to sign in. */
export function useLeave(): () => Promise<void> {
  const router = useRouter()
  return async () => {
    await leave()
    await router.push({ name: 'signin' })
  }
}
