import { keepPreviousData, useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, type Ref } from 'vue'

import {
  exportAudit,
  getAuditEntry,
  getSubscription,
  listAudit,
  listAuditValues,
  replaceSubscription,
  verifyAudit,
  type AuditEntry,
  type AuditItem,
  type ReplaceSubscriptionData,
  type VerdictBody,
} from '@/api'
import { save } from '@/lib/download'

export type Entry = AuditEntry
export type EntryRow = AuditItem
export type Verdict = VerdictBody
export type SubscriptionBody = ReplaceSubscriptionData['body']

export interface AuditFilter {
  actor: string
  action: string[]
  kind: string[]
  thing: string
  q: string
  since: string
}

const PAGE = 100

function asked(filter: AuditFilter) {
  return {
    actor: filter.actor || undefined,
    action: filter.action.length ? filter.action : undefined,
    kind: filter.kind.length ? filter.kind : undefined,
    thing: filter.thing || undefined,
    q: filter.q || undefined,
    since: filter.since || undefined,
  }
}

/** The entries, newest first. */
export function useEntries(project: Ref<string>, filter: Ref<AuditFilter>, enabled: Ref<boolean>) {
  return useInfiniteQuery({
    queryKey: computed(() => ['audit', project.value, filter.value]),
    queryFn: ({ pageParam, signal }) => listAudit({ path: { project: project.value }, query: { limit: PAGE, cursor: pageParam, ...asked(filter.value) }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: keepPreviousData,
    staleTime: 0,
    enabled,
  })
}

/** One entry with what was before and after; it never changes. */
export function useEntry(project: Ref<string>, id: Ref<string>) {
  return useQuery({
    queryKey: computed(() => ['audit-entry', project.value, id.value]),
    queryFn: ({ signal }) => getAuditEntry({ path: { project: project.value, id: id.value }, signal }),
    placeholderData: undefined,
    staleTime: Infinity,
  })
}

/** What there is to filter by. */
export function useValues(project: Ref<string>, enabled: Ref<boolean>) {
  return useQuery({
    queryKey: computed(() => ['audit-values', project.value]),
    queryFn: ({ signal }) => listAuditValues({ path: { project: project.value }, signal }),
    enabled,
    staleTime: 30_000,
  })
}

/** What the filter lets through, as a file. */
export async function download(project: string, filter: AuditFilter, format: 'ndjson' | 'csv'): Promise<void> {
  const file = (await exportAudit({ path: { project }, query: { format, ...asked(filter) }, parseAs: 'blob' })) as unknown as Blob
  save(file, `audit-${project}-${new Date().toISOString().slice(0, 10)}.${format}`)
}

/** The whole chain of the project, part after part. */
export async function verify(project: string): Promise<{ rows: number; verdict: Verdict }> {
  let rows = 0
  let after = 0
  for (;;) {
    const verdict = await verifyAudit({ path: { project }, query: { after } })
    rows += verdict.rows
    if (verdict.next === null || !verdict.holds) return { rows, verdict }
    after = verdict.next
  }
}

/** The subscription as it is now. */
export function useNowOf(project: Ref<string>, id: Ref<string>) {
  return useQuery({
    queryKey: computed(() => ['subscription', project.value, id.value]),
    queryFn: ({ signal }) => getSubscription({ path: { project: project.value, id: id.value }, signal }),
    enabled: computed(() => id.value !== ''),
    placeholderData: undefined,
    staleTime: 0,
    retry: false,
  })
}

export function useRestore(project: Ref<string>) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: ({ id, body }: { id: string; body: SubscriptionBody }) => replaceSubscription({ path: { project: project.value, id }, body }),
    onSuccess: () => Promise.all([['audit'], ['audit-values'], ['subscriptions'], ['subscription']].map((queryKey) => client.invalidateQueries({ queryKey }))),
  })
}
