import { useQuery } from '@tanstack/vue-query'

import { getMethods } from '@/api'
import { queryClient } from '@/app/queries'

/** The ways to sign in that there are. Nobody waits long for them: a password works without. */
const methodsQuery = { queryKey: ['methods'], queryFn: () => getMethods(), staleTime: 60_000, retry: false }

export function useMethods() {
  return useQuery(methodsQuery)
}

const PATIENCE_MS = 600

/** Before a page that shows them: so that nothing moves when they come. */
export async function knowMethods(): Promise<true> {
  const patience = new Promise((resolve) => window.setTimeout(resolve, PATIENCE_MS))
  await Promise.race([queryClient.prefetchQuery(methodsQuery), patience])
  return true
}
