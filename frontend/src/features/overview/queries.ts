import { keepPreviousData, useQuery } from '@tanstack/vue-query'
import { computed, type Ref } from 'vue'

import { getOverview, listAudit, type AuditItem, type OverviewBody, type SinkCountsBody, type TypeCountsBody } from '@/api'
import { spanOf, type RangeText } from '@/lib/range'

export type Overview = OverviewBody
export type SinkRow = SinkCountsBody
export type TypeRow = TypeCountsBody
export type Change = AuditItem

/** How often an overview that goes on to now is asked for anew. */
export const EVERY_MS = 5_000

/** What changes how events go: others are in the audit log, and on no chart. */
const MARKED = ['subscription', 'source', 'producer', 'type', 'key', 'settings', 'sink']
const SHOWN_CHANGES = 5

export function useOverview(project: Ref<string>, range: Ref<RangeText>) {
  return useQuery({
    queryKey: computed(() => ['overview', project.value, range.value.since, range.value.until]),
    queryFn: ({ signal }) => {
      const { since, until } = spanOf(range.value, Date.now())
      return getOverview({ path: { project: project.value }, query: { since: since || undefined, until: until || undefined }, signal })
    },
    placeholderData: keepPreviousData,
    refetchInterval: () => (range.value.until ? false : EVERY_MS),
  })
}

/** The last changes of what is configured, whenever they were. */
export function useRecentChanges(project: Ref<string>, enabled: Ref<boolean>) {
  return useQuery({
    queryKey: computed(() => ['audit', 'recent', project.value]),
    queryFn: ({ signal }) => listAudit({ path: { project: project.value }, query: { limit: SHOWN_CHANGES }, signal }),
    enabled,
    refetchInterval: 30_000,
  })
}

/** Changes within a range that may have changed what is seen in it. */
export function useChanges(project: Ref<string>, range: Ref<RangeText>, enabled: Ref<boolean>) {
  return useQuery({
    queryKey: computed(() => ['audit', 'within', project.value, range.value.since, range.value.until]),
    queryFn: ({ signal }) => {
      const { since, until } = spanOf(range.value, Date.now())
      return listAudit({ path: { project: project.value }, query: { limit: 20, kind: MARKED, since: since || undefined, until: until || undefined }, signal })
    },
    placeholderData: keepPreviousData,
    enabled,
    refetchInterval: () => (range.value.until ? false : 15_000),
  })
}
