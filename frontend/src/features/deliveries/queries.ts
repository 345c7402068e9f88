import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/vue-query'
import { computed, type Ref } from 'vue'

import { getDelivery, getEvent, getOverview, listDeliveries, type ListDeliveriesResponse } from '@/api'
import { isOpen, type Status } from '@/lib/status'

import { asked, isPlain, type DeliveryFilter } from './filter'

export type DeliveryRow = ListDeliveriesResponse['items'][number]

const PAGE = 100

/** The deliveries, newest event first. Rows that are shown stay as they are until the list is asked for again. */
export function useDeliveries(project: Ref<string>, filter: Ref<DeliveryFilter>) {
  return useInfiniteQuery({
    queryKey: computed(() => ['deliveries', project.value, filter.value]),
    queryFn: ({ pageParam, signal }) =>
      listDeliveries({
        path: { project: project.value },
        query: { ...asked(filter.value), limit: PAGE, cursor: pageParam },
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

export type DeliveryCounts = Record<Status | 'all', number>

/** How often what is counted is looked at. */
const COUNTED_MS = 15_000

/**
 * How many deliveries of that time are in each state, from the counts by the minute; undefined where they do not tell:
 * of a list that is narrowed by more than its state, and of one without a start.
 */
export function useDeliveryCounts(project: Ref<string>, filter: Ref<DeliveryFilter>, may: Ref<boolean>) {
  const query = useQuery({
    queryKey: computed(() => ['delivery-counts', project.value, filter.value.since, filter.value.until]),
    queryFn: ({ signal }) => getOverview({ path: { project: project.value }, query: { since: filter.value.since, until: filter.value.until || undefined }, signal }),
    enabled: computed(() => may.value && isPlain(filter.value)),
    select: ({ totals: { pending, retrying, delivered, dead, cancelled } }): DeliveryCounts => ({ pending, retrying, delivered, dead, cancelled, all: pending + retrying + delivered + dead + cancelled }),
    refetchInterval: COUNTED_MS,
    placeholderData: undefined,
    retry: false,
  })
  return { counts: computed(() => (isPlain(filter.value) ? query.data.value : undefined)), recount: query.refetch }
}
