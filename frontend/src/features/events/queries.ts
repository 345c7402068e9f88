import { keepPreviousData, useInfiniteQuery, useQuery, useQueryClient, type InfiniteData } from '@tanstack/vue-query'
import { computed, ref, watch, type Ref } from 'vue'

import { compareEvents, eventFacets, eventHistogram, explainEvent, getEvent, getRetention, getStory, listEvents, listSubscriptions, listTypes, type EventFacetsData, type ListEventsResponse } from '@/api'
import { isOpen } from '@/lib/status'

export type EventRow = ListEventsResponse['items'][number]
export type { GetEventResponse as EventStory, GetStoryResponse as WholeStory, ExplainEventResponse } from '@/api'

export type { EventFacetsResponse as FacetCounts, EventHistogramResponse as Histogram } from '@/api'

/** What the list is narrowed to, as the API takes it. */
export type EventFilter = NonNullable<EventFacetsData['query']>

type Pages = InfiniteData<ListEventsResponse, string | undefined>

const PAGE = 100
const POLL_MS = 2000
const POLLED = 500
/** Bars of the histogram at most: an hour that begins within a minute touches 61. */
const BARS = 61
/** How often counts are asked for anew. */
const COUNT_MS = 15_000
const NAMES_MS = 30_000
const DAY_MS = 86_400_000

/** How long after receipt an event without deliveries may still get some. */
const ROUTING_MS = 20_000

/** Whether a delivery of this event may still change. */
export function isUnsettled({ outcome }: EventRow): boolean {
  return outcome.pending + outcome.retrying > 0
}

/** Whether nothing is known yet of what becomes of this event. */
export function isUnrouted({ outcome, receivedAt }: EventRow): boolean {
  return Object.values(outcome).every((n) => n === 0) && Date.now() - Date.parse(receivedAt) < ROUTING_MS
}

const mayChange = (row: EventRow) => isUnsettled(row) || isUnrouted(row)

/**
 * The events, newest first, a page at a time. What arrives later is counted and not shown before `showNew`; rows that
 * are shown are renewed where they stand. `renew` takes the range of time anew.
 */
export function useEvents(project: Ref<string>, filter: Ref<EventFilter>, renew: () => void) {
  const client = useQueryClient()
  const key = computed(() => ['events', project.value, filter.value] as const)

  const list = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam, signal }) =>
      listEvents({ path: { project: project.value }, query: { ...filter.value, limit: PAGE, cursor: pageParam }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: keepPreviousData,
    staleTime: Infinity,
    gcTime: 60_000,
    structuralSharing: false,
  })
  /** How far a text search has looked, over all pages; null without one. */
  const searched = computed(() => {
    const told = list.data.value?.pages.flatMap(({ searched: part }) => part ?? []) ?? []
    return told.length ? { count: told.reduce((sum, part) => sum + part.count, 0), until: told.at(-1)?.until ?? null } : null
  })
  const rows = computed(() => list.data.value?.pages.flatMap((page) => page.items) ?? [])

  const from = computed(() => {
    const open = rows.value.slice(0, POLLED).filter(mayChange).at(-1)
    return open?.receivedAt ?? rows.value[0]?.receivedAt ?? filter.value.since
  })
  const poll = useQuery({
    queryKey: computed(() => [...key.value, 'new']),
    queryFn: ({ signal }) =>
      listEvents({
        path: { project: project.value },
        query: { ...filter.value, ...(from.value ? { since: from.value } : {}), limit: POLLED },
        signal,
      }),
    refetchInterval: POLL_MS,
    staleTime: 0,
    structuralSharing: false,
    placeholderData: undefined,
    enabled: computed(() => list.isSuccess.value && !filter.value.until),
  })

  watch(poll.data, (answer) => {
    if (!answer || list.isPlaceholderData.value) return
    const fresh = new Map(answer.items.map((row) => [row.uid, row]))
    const stale = (row: EventRow) => fresh.has(row.uid) && mayChange(row)
    client.setQueryData<Pages>(key.value, (old) => {
      if (!old?.pages.some(({ items }) => items.some(stale))) return old
      const renew = (page: ListEventsResponse) =>
        page.items.some(stale) ? { ...page, items: page.items.map((row) => fresh.get(row.uid) ?? row) } : page
      return { ...old, pages: old.pages.map(renew) }
    })
  })

  const arrived = computed(() => {
    const newest = rows.value[0]?.uid ?? ''
    const fresh = poll.data.value?.items.filter((row) => row.uid > newest).length ?? 0
    return { count: fresh, more: fresh >= POLLED }
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
    () => rows.value.length === 0 && arrived.value.count > 0,
    (first) => {
      if (first) void showNew()
    },
  )

  return { list, rows, searched, arrived, showNew }
}

/** How many events were received when, and how they stand: of the same events as the list. Told anew as they change. */
export function useHistogram(project: Ref<string>, filter: Ref<EventFilter>) {
  return useQuery({
    queryKey: computed(() => ['events-histogram', project.value, filter.value]),
    queryFn: ({ signal }) => eventHistogram({ path: { project: project.value }, query: { ...filter.value, bars: BARS }, signal }),
    refetchInterval: COUNT_MS,
  })
}

/** By what the list can be narrowed, and to how many. */
export function useFacets(project: Ref<string>, filter: Ref<EventFilter>, enabled: Ref<boolean>) {
  return useQuery({
    queryKey: computed(() => ['events-facets', project.value, filter.value]),
    queryFn: ({ signal }) => eventFacets({ path: { project: project.value }, query: filter.value, signal }),
    refetchInterval: COUNT_MS,
    enabled,
  })
}

/** How many events a filter finds, for a hint; null while nobody knows. */
export function useCount(project: Ref<string>, filter: Ref<EventFilter | null>) {
  return useQuery({
    queryKey: computed(() => ['events-count', project.value, filter.value]),
    queryFn: ({ signal }) => eventHistogram({ path: { project: project.value }, query: { ...filter.value, bars: 1 }, signal }),
    enabled: computed(() => filter.value !== null),
    placeholderData: undefined,
    staleTime: 60_000,
  })
}

/** The names that a filter may speak of: types with their facets, and subscriptions. */
export function useNames(project: Ref<string>, permissions: Ref<string[]>) {
  const types = useQuery({
    queryKey: computed(() => ['names', 'types', project.value]),
    queryFn: ({ signal }) => listTypes({ path: { project: project.value }, query: { limit: 500 }, signal }),
    enabled: computed(() => permissions.value.includes('types:read')),
    staleTime: NAMES_MS,
  })
  const subscriptions = useQuery({
    queryKey: computed(() => ['names', 'subscriptions', project.value]),
    queryFn: ({ signal }) => listSubscriptions({ path: { project: project.value }, query: { limit: 500 }, signal }),
    enabled: computed(() => permissions.value.includes('subscriptions:read')),
    staleTime: NAMES_MS,
  })
  return computed(() => {
    const items = types.data.value?.items ?? []
    return {
      types: items.map(({ type }) => type),
      pointers: Object.assign({}, ...items.map(({ facets }) => facets)) as Record<string, string>,
      subscriptions: Object.fromEntries(subscriptions.data.value?.items.map(({ id, name }) => [id, name]) ?? []),
    }
  })
}

/** Before which instant nothing is kept in the database, in milliseconds; null where that is for ever. */
export function useKept(project: Ref<string>, permissions: Ref<string[]>) {
  return useQuery({
    queryKey: computed(() => ['retention', project.value]),
    queryFn: ({ signal }) => getRetention({ path: { project: project.value }, signal }),
    // The page of the project's data has the same answer in the cache.
    select: ({ retentionDays }) => (retentionDays === null ? null : (Math.floor(Date.now() / DAY_MS) - retentionDays) * DAY_MS),
    enabled: computed(() => permissions.value.includes('projects:read')),
    staleTime: 300_000,
  })
}

/** One event with its deliveries; asked again while one of them is open. */
export function useEvent(project: Ref<string>, uid: Ref<string>) {
  return useQuery({
    queryKey: computed(() => ['event', project.value, uid.value]),
    queryFn: ({ signal }) => getEvent({ path: { project: project.value, uid: uid.value }, signal }),
    enabled: computed(() => uid.value !== ''),
    refetchInterval: ({ state }) => {
      const story = state.data
      if (!story) return false
      // The first deliveries appear a moment after the event itself.
      const young = Date.now() - Date.parse(story.receivedAt) < 10_000
      return young || story.deliveries.some(({ status }) => isOpen(status)) ? 1500 : false
    },
  })
}

const YOUNG_MS = 60_000

/** All that is known of an event; asked again while a delivery of it is open, less often when it takes long. */
export function useStory(project: Ref<string>, uid: Ref<string>, then: Ref<boolean>) {
  return useQuery({
    queryKey: computed(() => ['story', project.value, uid.value, then.value]),
    queryFn: ({ signal }) => getStory({ path: { project: project.value, uid: uid.value }, query: { subscriptions: then.value ? 'then' : 'now' }, signal }),
    placeholderData: (before, query) => (query?.queryKey[2] === uid.value ? before : undefined),
    refetchInterval: ({ state }) => {
      const story = state.data
      if (!story) return false
      const age = Date.now() - Date.parse(story.receivedAt)
      // The first deliveries appear a moment after the event itself.
      if (age >= 10_000 && !story.deliveries.some(({ status }) => isOpen(status))) return false
      return age < YOUNG_MS ? 1500 : 5000
    },
  })
}

/** What an event has otherwise than another one; than the last of its type before it where `other` is empty. */
export function useComparison(project: Ref<string>, uid: Ref<string>, other: Ref<string>) {
  return useQuery({
    queryKey: computed(() => ['compare', project.value, uid.value, other.value]),
    queryFn: ({ signal }) => compareEvents({ path: { project: project.value, uid: uid.value }, query: other.value ? { with: other.value } : {}, signal }),
    staleTime: Infinity,
    retry: false,
  })
}

/** What each subscription says of an event: as it is now, or as it was when the event was received. */
export function useExplanation(project: Ref<string>, uid: Ref<string>, then: Ref<boolean> = ref(false)) {
  return useQuery({
    queryKey: computed(() => ['explain', project.value, uid.value, then.value]),
    queryFn: ({ signal }) => explainEvent({ path: { project: project.value, uid: uid.value }, query: then.value ? { then: true } : {}, signal }),
    enabled: computed(() => uid.value !== ''),
    placeholderData: (before, query) => (query?.queryKey[2] === uid.value ? before : undefined),
  })
}
