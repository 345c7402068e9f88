import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/vue-query'
import { computed, type Ref } from 'vue'

import { getDelivery, getEvent, listDeliveries, type ListDeliveriesResponse } from '@/api'
import { isOpen, type Status } from '@/lib/status'

export type DeliveryRow = ListDeliveriesResponse['items'][number]

export interface DeliveryFilter {
  status: Status | ''
  subscription: string
  event: string
}

const PAGE = 100

/** The deliveries, newest event first; shown rows are renewed while one of the first page is open. */
export function useDeliveries(project: Ref<string>, filter: Ref<DeliveryFilter>) {
  return useInfiniteQuery({
    queryKey: computed(() => ['deliveries', project.value, filter.value]),
    queryFn: ({ pageParam, signal }) =>
      listDeliveries({
        path: { project: project.value },
        query: {
          limit: PAGE,
          cursor: pageParam,
          status: filter.value.status || undefined,
          subscription: filter.value.subscription ? [filter.value.subscription] : undefined,
          event: filter.value.event || undefined,
        },
        signal,
      }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: keepPreviousData,
    staleTime: 0,
  })
}

export function useDelivery(project: Ref<string>, id: Ref<string>) {
  return useQuery({
    queryKey: computed(() => ['delivery', project.value, id.value]),
    queryFn: ({ signal }) => getDelivery({ path: { project: project.value, id: id.value }, signal }),
    enabled: computed(() => id.value !== ''),
    placeholderData: undefined,
    refetchInterval: ({ state }) => (state.data && isOpen(state.data.status) ? 1500 : false),
  })
}

/** The event of a delivery: its data go into the curl command. */
export function useDeliveredEvent(project: Ref<string>, uid: Ref<string>) {
  return useQuery({
    queryKey: computed(() => ['event', project.value, uid.value]),
    queryFn: ({ signal }) => getEvent({ path: { project: project.value, uid: uid.value }, signal }),
    enabled: computed(() => uid.value !== ''),
    staleTime: Infinity,
  })
}
