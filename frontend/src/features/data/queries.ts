import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, type Ref } from 'vue'

import {
  createErasure,
  createHold,
  createRecall,
  endRecall,
  getRetention,
  liftHold,
  listArchivedDays,
  listErasures,
  listHolds,
  listRecalls,
  replaceRetention,
  verifyArchivedDay,
  type ErasureRequest,
  type HoldRequest,
  type ObjectVerdict,
  type RecallRequest,
} from '@/api'

/** How often lists are asked again while a job of theirs is under way. */
const UNDER_WAY_MS = 5_000

export function useRetention(project: Ref<string>) {
  return useQuery({
    queryKey: computed(() => ['retention', project.value]),
    queryFn: ({ signal }) => getRetention({ path: { project: project.value }, signal }),
    placeholderData: undefined,
    refetchOnWindowFocus: false,
  })
}

export function useSaveRetention(project: Ref<string>) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: { retentionDays: number | null; archiveDays: number | null }) => replaceRetention({ path: { project: project.value }, body }),
    onSuccess: (saved) => {
      client.setQueryData(['retention', project.value], saved)
    },
  })
}

/** The archived days, newest first; `until` leaves out those after it, unless it is empty. */
export function useArchivedDays(project: Ref<string>, until: Ref<string>) {
  return useInfiniteQuery({
    queryKey: computed(() => ['archive', 'days', project.value, until.value]),
    queryFn: ({ pageParam, signal }) => listArchivedDays({ path: { project: project.value }, query: { limit: 30, cursor: pageParam, until: until.value || undefined }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next }) => next ?? undefined,
  })
}

/** Every object of a day that is not what it was; none where it is whole. */
export async function faultsOf(project: string, day: string): Promise<ObjectVerdict[]> {
  const faults: ObjectVerdict[] = []
  let cursor: string | undefined
  do {
    const page = await verifyArchivedDay({ path: { project, day }, query: { cursor } })
    faults.push(...page.items.filter(({ fault }) => fault !== null))
    cursor = page.next ?? undefined
  } while (cursor)
  return faults
}

export function useRecalls(project: Ref<string>) {
  return useQuery({
    queryKey: computed(() => ['archive', 'recalls', project.value]),
    queryFn: ({ signal }) => listRecalls({ path: { project: project.value }, query: { limit: 20 }, signal }),
    refetchInterval: ({ state }) => (state.data?.items.some(({ state: one }) => one === 'running') ? UNDER_WAY_MS : false),
  })
}

export function useCreateRecall(project: Ref<string>) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: RecallRequest) => createRecall({ path: { project: project.value }, body }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['archive', 'recalls', project.value] }),
  })
}

export function useEndRecall(project: Ref<string>) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (recall: string) => endRecall({ path: { project: project.value, recall } }),
    onSettled: () => client.invalidateQueries({ queryKey: ['archive', 'recalls', project.value] }),
  })
}

export function useHolds(project: Ref<string>) {
  return useQuery({
    queryKey: computed(() => ['holds', project.value]),
    queryFn: ({ signal }) => listHolds({ path: { project: project.value }, query: { limit: 100 }, signal }),
  })
}

export function useCreateHold(project: Ref<string>) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: HoldRequest) => createHold({ path: { project: project.value }, body }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['holds', project.value] }),
  })
}

export function useLiftHold(project: Ref<string>) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (hold: string) => liftHold({ path: { project: project.value, hold } }),
    onSettled: () => client.invalidateQueries({ queryKey: ['holds', project.value] }),
  })
}

export function useErasures(project: Ref<string>, may: Ref<boolean>) {
  return useQuery({
    queryKey: computed(() => ['erasures', project.value]),
    queryFn: ({ signal }) => listErasures({ path: { project: project.value }, query: { limit: 20 }, signal }),
    enabled: may,
    refetchInterval: ({ state }) => (state.data?.items.some(({ state: one }) => one === 'running') ? UNDER_WAY_MS : false),
  })
}

export function useCreateErasure(project: Ref<string>) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: ErasureRequest) => createErasure({ path: { project: project.value }, body }),
    onSuccess: (made) => (made.id === null ? undefined : client.invalidateQueries({ queryKey: ['erasures', project.value] })),
  })
}
