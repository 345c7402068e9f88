import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, type Ref } from 'vue'

import {
  checkFilters,
  createSubscription,
  deleteSubscription,
  getSubscription,
  listSubscriptions,
  replaceSubscription,
  type CheckFiltersData,
  type CreateSubscriptionData,
  type GetSubscriptionResponse,
} from '@/api'

export type Subscription = GetSubscriptionResponse
export type SubscriptionDraft = CreateSubscriptionData['body']
export type { CheckFiltersResponse as CheckAnswer } from '@/api'

const LAST = 500

export function useSubscriptions(project: Ref<string>) {
  return useQuery({
    queryKey: computed(() => ['subscriptions', project.value]),
    queryFn: ({ signal }) => listSubscriptions({ path: { project: project.value }, query: { limit: 500 }, signal }),
  })
}

export function useSubscription(project: Ref<string>, id: Ref<string>) {
  return useQuery({
    queryKey: computed(() => ['subscription', project.value, id.value]),
    queryFn: ({ signal }) => getSubscription({ path: { project: project.value, id: id.value }, signal }),
    enabled: computed(() => id.value !== ''),
    placeholderData: undefined,
    refetchOnWindowFocus: false,
  })
}

/** Creates, or replaces the one of that id. */
export function useSave(project: Ref<string>) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: ({ id, body }: { id: string; body: SubscriptionDraft }) =>
      id
        ? replaceSubscription({ path: { project: project.value, id }, body })
        : createSubscription({ path: { project: project.value }, body }),
    onSuccess: (saved) => {
      client.setQueryData(['subscription', project.value, saved.id], saved)
      return Promise.all([['subscriptions'], ['check']].map((queryKey) => client.invalidateQueries({ queryKey })))
    },
  })
}

export function useRemove(project: Ref<string>) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (id: string) => deleteSubscription({ path: { project: project.value, id } }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['subscriptions'] }),
  })
}

/** The verdict of unsaved filters on the last stored events; null filters are not asked about. */
export function useCheck(project: Ref<string>, filters: Ref<unknown[] | null>, id: Ref<string>) {
  return useQuery({
    queryKey: computed(() => ['check', project.value, id.value, filters.value]),
    queryFn: ({ signal }) => {
      const body = { filters: filters.value ?? [], last: LAST, ...(id.value ? { subscription: id.value } : {}) } as CheckFiltersData['body']
      return checkFilters({ path: { project: project.value }, body, signal })
    },
    enabled: computed(() => filters.value !== null),
    staleTime: 10_000,
    retry: false,
  })
}
