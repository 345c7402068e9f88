import { keepPreviousData, QueryClient, useQuery } from '@tanstack/vue-query'
import { computed } from 'vue'

import { getMe } from '@/api'
import { ApiError } from '@/lib/problem'

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      placeholderData: keepPreviousData,
      // Answers are never changed in place: proxies around each row would only cost time.
      shallow: true,
      // An answer will not change by asking again; a lost connection may come back.
      retry: (failures, error) => failures < 3 && !(error instanceof ApiError && error.status > 0 && error.status < 500),
    },
  },
})

export const meQuery = { queryKey: ['me'], queryFn: () => getMe(), staleTime: 60_000 }

export function useMe() {
  return useQuery(meQuery)
}

/** What the signed-in user may do in a project, which is also all that they can let a key do. */
export function usePermissions(project: () => string) {
  const { data } = useMe()
  return computed(() => data.value?.projects.find(({ name }) => name === project())?.permissions ?? [])
}

/** Whether the signed-in user may do this in a project. */
export function useMay(project: () => string, permission: string) {
  const permissions = usePermissions(project)
  return computed(() => permissions.value.includes(permission))
}
