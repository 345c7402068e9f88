import { keepPreviousData, useInfiniteQuery, useQuery, useQueryClient, type InfiniteData } from '@tanstack/vue-query'
import { computed, watch, type Ref } from 'vue'

import { deliveryCauses, getDelivery, getEvent, getOverview, listDeliveries, type DeliveryCausesResponse, type ListDeliveriesResponse } from '@/api'
import { isOpen, type Status } from '@/lib/status'

import { arrivedIn, polledFrom } from './arrived'
import { asked, isPlain, type DeliveryFilter } from './filter'

export type DeliveryRow = ListDeliveriesResponse['items'][number]
export type Cause = DeliveryCausesResponse['items'][number]

type Pages = InfiniteData<ListDeliveriesResponse, string | undefined>

const PAGE = 100
const POLL_MS = 3_000
const POLLED = 500
/** How often what is counted is looked at. */
const COUNTED_MS = 15_000

/**
 * The deliveries, newest event first. What comes later is counted and not shown before `showNew`; rows that are shown and
 * still open are renewed where they stand. `renew` takes the range of time anew.
 */
export function useDeliveries(project: Ref<string>, filter: Ref<DeliveryFilter>, renew: () => void) {
  const client = useQueryClient()
  const key = computed(() => ['deliveries', project.value, filter.value])
  const list = useInfiniteQuery({
    queryKey: key,
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
    refetchOnWindowFocus: false,
  })
  const rows = computed(() => list.data.value?.pages.flatMap((page) => page.items) ?? [])
  const searched = computed(() => list.data.value?.pages.at(-1)?.searched ?? null)
  const since = computed(() => polledFrom(rows.value, list.hasNextPage.value, searched.value !== null) ?? filter.value.since)
  const poll = useQuery({
    queryKey: computed(() => [...key.value, 'new']),
    queryFn: ({ signal }) => listDeliveries({ path: { project: project.value }, query: { ...asked({ ...filter.value, since: since.value }), limit: POLLED }, signal }),
    refetchInterval: POLL_MS,
    staleTime: 0,
    placeholderData: undefined,
    enabled: computed(() => list.isSuccess.value && !filter.value.until),
  })
  watch(poll.data, (answer) => {
    if (!answer || list.isPlaceholderData.value) return
    const fresh = new Map(answer.items.map((row) => [row.id, row]))
    const stale = (row: DeliveryRow) => fresh.has(row.id) && isOpen(row.status)
    client.setQueryData<Pages>(key.value, (old) => {
      if (!old?.pages.some(({ items }) => items.some(stale))) return old
      return { ...old, pages: old.pages.map((page) => (page.items.some(stale) ? { ...page, items: page.items.map((row) => fresh.get(row.id) ?? row) } : page)) }
    })
  })
  const arrived = computed(() => {
    const count = list.isPlaceholderData.value ? 0 : arrivedIn(poll.data.value?.items ?? [], rows.value, list.hasNextPage.value)
    return { count, more: count >= POLLED }
  })

  async function showNew(): Promise<void> {
    const before = filter.value
    renew()
    // Over another range it is another list, which comes by itself.
    if (filter.value.since !== before.since) return
    client.setQueryData<Pages>(key.value, (old) => old && { pages: old.pages.slice(0, 1), pageParams: old.pageParams.slice(0, 1) })
    await list.refetch()
  }
  // An empty list has nothing that could move: what comes is shown at once.
  watch(
    () => list.isSuccess.value && rows.value.length === 0 && arrived.value.count > 0,
    (first) => {
      if (first) void showNew()
    },
  )
  return { list, rows, searched, arrived, showNew }
}

/** Why deliveries fail that the filter finds; asked again while it is looked at. */
export function useCauses(project: Ref<string>, filter: Ref<DeliveryFilter>, enabled: Ref<boolean>) {
  return useQuery({
    queryKey: computed(() => ['delivery-causes', project.value, filter.value]),
    queryFn: ({ signal }) => deliveryCauses({ path: { project: project.value }, query: asked(filter.value), signal }),
    enabled,
    refetchInterval: COUNTED_MS,
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
