import { keepPreviousData, QueryClient, useQuery } from '@tanstack/vue-query'
import { computed, type Ref } from 'vue'

import { getMe, getOverview } from '@/api'
import { ApiError } from '@/lib/problem'
import { spanOf } from '@/lib/range'

/** What a lost connection, or a store that is away, says. Any other answer will not change by asking again. */
const PASSING = [0, 502, 503, 504]
const mayPass = (error: Error) => !(error instanceof ApiError) || PASSING.includes(error.status)

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      placeholderData: keepPreviousData,
      // Answers are never changed in place: proxies around each row would only cost time.
      shallow: true,
      retry: (failures, error) => failures < 3 && mayPass(error),
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

/** How many deliveries of the last day, the usual range of their list, are dead letters; undefined for who may not see. */
export function useDeadLetters(project: Ref<string>) {
  const mayEvents = useMay(() => project.value, 'events:read')
  const mayDeliveries = useMay(() => project.value, 'deliveries:read')
  const { data } = useQuery({
    queryKey: computed(() => ['dead-letters', project.value]),
    queryFn: ({ signal }) => getOverview({ path: { project: project.value }, query: { since: spanOf({ since: '24h', until: '' }, Date.now()).since }, signal }),
    enabled: computed(() => mayEvents.value && mayDeliveries.value),
    select: ({ totals }) => totals.dead,
    placeholderData: undefined,
    refetchInterval: 30_000,
    retry: false,
  })
  return data
}
