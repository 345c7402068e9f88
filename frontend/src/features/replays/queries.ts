import { keepPreviousData, useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, onScopeDispose, ref, watch, type Ref } from 'vue'

import {
  cancelDeliveries,
  cancelReplay,
  changeReplay,
  getReplay,
  listReplays,
  listSubscriptions,
  pauseReplay,
  resumeReplay,
  startReplay,
  type CancelDeliveriesData,
  type DryRunBody,
  type GetReplayResponse,
  type ListReplaysResponse,
  type ReplayBody,
  type StartReplayData,
} from '@/api'

import type { Wanted } from './wanted'

export type Replay = GetReplayResponse
export type ReplayRow = ListReplaysResponse['items'][number]
export type DryRun = DryRunBody
export type DrySink = DryRun['sinks'][number]
export type ReplayQuestion = StartReplayData['body']
type CancelQuestion = CancelDeliveriesData['body']

/** The pause in typing after which it is counted again. */
const PAUSE_MS = 350
/** How often a job that goes on is looked at. */
const LOOK_MS = 1_000
const PAGE = 100

/** Whether anything may still happen to it without anybody's doing. */
export function isAlive({ state, waiting }: Pick<ReplayRow, 'state' | 'waiting'>): boolean {
  return state === 'running' || waiting > 0
}

type Answer = DryRunBody | ReplayBody

const isDry = (answer: Answer): answer is DryRun => 'dryRun' in answer

async function ask(project: string, kind: Wanted['kind'], body: ReplayQuestion, signal?: AbortSignal): Promise<Answer> {
  const path = { project }
  if (kind !== 'cancel') return startReplay({ path, body, signal })
  const { select, leaveOut, reason, dryRun }: CancelQuestion = body
  return cancelDeliveries({ path, body: { select, leaveOut, reason, dryRun }, signal })
}

/** The value once it has not changed for a moment. */
function settled<T>(source: () => T): Ref<T> {
  const value = ref(source()) as Ref<T>
  let timer = 0
  watch(source, (next) => {
    window.clearTimeout(timer)
    timer = window.setTimeout(() => {
      value.value = next
    }, PAUSE_MS)
  })
  onScopeDispose(() => {
    window.clearTimeout(timer)
  })
  return value
}

/** What a replay would come to; `question` is null while it is not known what to ask. */
export function useDryRun(project: Ref<string>, kind: Ref<Wanted['kind']>, question: Ref<ReplayQuestion | null>) {
  const text = computed(() => (question.value ? JSON.stringify(question.value) : ''))
  const asked = settled(() => text.value)
  const query = useQuery({
    queryKey: computed(() => ['dry-run', project.value, kind.value, asked.value]),
    queryFn: async ({ signal }) => {
      const body = JSON.parse(asked.value) as ReplayQuestion
      const answer = await ask(project.value, kind.value, { ...body, dryRun: true }, signal)
      if (!isDry(answer)) throw new Error('A dry run started a replay.')
      return answer
    },
    enabled: computed(() => asked.value !== '' && asked.value === text.value),
    staleTime: Infinity,
    gcTime: 0,
    placeholderData: keepPreviousData,
    refetchOnWindowFocus: false,
    retry: false,
  })
  /** Whether what is shown is not yet what was asked. */
  const isSettling = computed(() => text.value !== asked.value || query.isFetching.value)
  return { ...query, isSettling }
}

export function useStart(project: Ref<string>) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: async ({ kind, body }: { kind: Wanted['kind']; body: ReplayQuestion }) => {
      const answer = await ask(project.value, kind, body)
      if (isDry(answer)) throw new Error('It was only counted.')
      return answer
    },
    onSuccess: (replay) => {
      client.setQueryData(['replay', project.value, replay.id], replay)
      void client.invalidateQueries({ queryKey: ['replays', project.value] })
    },
  })
}

/** The project's replays and cancellations, newest first. */
export function useReplays(project: Ref<string>, state: Ref<Replay['state'] | ''>) {
  return useInfiniteQuery({
    queryKey: computed(() => ['replays', project.value, state.value]),
    queryFn: ({ pageParam, signal }) => listReplays({ path: { project: project.value }, query: { limit: PAGE, cursor: pageParam, state: state.value || undefined }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    refetchInterval: ({ state: { data } }) => (data?.pages[0]?.items.some(isAlive) ? 2 * LOOK_MS : false),
  })
}

/** One of them, looked at again while it goes on; a Weir that is away is asked until it is back. */
export function useReplay(project: Ref<string>, id: Ref<string>) {
  return useQuery({
    queryKey: computed(() => ['replay', project.value, id.value]),
    queryFn: ({ signal }) => getReplay({ path: { project: project.value, id: id.value }, signal }),
    placeholderData: undefined,
    staleTime: 0,
    refetchInterval: ({ state: { data, error } }) => (error && data ? 2 * LOOK_MS : data && isAlive(data) ? LOOK_MS : data?.state === 'paused' ? 5 * LOOK_MS : false),
    retry: false,
  })
}

export type Step = 'pause' | 'resume' | 'cancel'

/** What can be done to a replay that has not ended. */
export function useSteer(project: Ref<string>, id: Ref<string>) {
  const client = useQueryClient()
  const settle = (replay: Replay) => {
    client.setQueryData(['replay', project.value, id.value], replay)
    void client.invalidateQueries({ queryKey: ['replays', project.value] })
  }
  const path = () => ({ project: project.value, id: id.value })
  const steps = { pause: pauseReplay, resume: resumeReplay, cancel: cancelReplay }
  const step = useMutation({ mutationFn: (which: Step) => steps[which]({ path: path() }), onSuccess: settle })
  const rate = useMutation({ mutationFn: (ratePerSecond: number | null) => changeReplay({ path: path(), body: { ratePerSecond } }), onSuccess: settle })
  return { step, rate }
}

/** The subscriptions that something can be replayed to. */
export function useTargets(project: Ref<string>, enabled: Ref<boolean>) {
  return useQuery({
    queryKey: computed(() => ['subscriptions', project.value]),
    queryFn: ({ signal }) => listSubscriptions({ path: { project: project.value }, query: { limit: 500 }, signal }),
    enabled,
  })
}
