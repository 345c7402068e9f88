import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, onScopeDispose, ref, watch, type Ref } from 'vue'

import {
  checkFilters,
  createSubscription,
  deleteSubscription,
  getEvent,
  getSubscription,
  listSubscriptions,
  probeSubscription,
  replaceSubscription,
  tryTransform,
  type CheckFiltersData,
  type CreateSubscriptionData,
  type GetSubscriptionResponse,
  type ProbeSubscriptionResponse,
} from '@/api'
import { clock } from '@/lib/time'

export type Subscription = GetSubscriptionResponse
export type SubscriptionDraft = CreateSubscriptionData['body']
export type { CheckFiltersResponse as CheckAnswer } from '@/api'
export type ProbeAnswer = ProbeSubscriptionResponse

/** A stored event that something can be tried on. */
export interface Sample {
  uid: string
  label: string
}

const LAST = 500
const SAMPLES = 20
/** How often the health of sinks is looked at. */
const HEALTH_MS = 10_000
/** The pause in typing after which something is tried. */
const PAUSE_MS = 300

export function useSubscriptions(project: Ref<string>) {
  return useQuery({
    queryKey: computed(() => ['subscriptions', project.value]),
    queryFn: ({ signal }) => listSubscriptions({ path: { project: project.value }, query: { limit: 500 }, signal }),
    refetchInterval: HEALTH_MS,
  })
}

export function useSubscription(project: Ref<string>, id: Ref<string>) {
  return useQuery({
    queryKey: computed(() => ['subscription', project.value, id.value]),
    queryFn: ({ signal }) => getSubscription({ path: { project: project.value, id: id.value }, signal }),
    enabled: computed(() => id.value !== ''),
    placeholderData: undefined,
    refetchOnWindowFocus: false,
    refetchInterval: HEALTH_MS,
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

/** Sends a test event to the saved sink. */
export function useProbe(project: Ref<string>, id: Ref<string>) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: () => probeSubscription({ path: { project: project.value, id: id.value } }),
    onSuccess: ({ circuitClosed }) => {
      if (!circuitClosed) return
      // Not awaited: the answer is there, and what it changed comes by itself.
      for (const queryKey of [['subscription'], ['subscriptions']]) void client.invalidateQueries({ queryKey })
    },
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

/** Events of a preview to try things on: those that match first. */
export function samplesOf(items: { uid?: string | null; type: string; subject?: string | null; matched: boolean; receivedAt?: string | null }[]): Sample[] {
  const matched = items.filter((item) => item.matched)
  return (matched.length ? matched : items).slice(0, SAMPLES).flatMap(({ uid, type, subject, receivedAt }) =>
    uid ? [{ uid, label: [receivedAt ? clock(receivedAt).time : '', type, subject ?? ''].filter(Boolean).join('  ') }] : [],
  )
}

/** What a transform makes of a stored event, after each pause in typing. */
export function useTransformTry(project: Ref<string>, transform: Ref<string>, uid: Ref<string>) {
  const asked = ref(transform.value)
  let timer = 0
  watch(transform, (text) => {
    window.clearTimeout(timer)
    timer = window.setTimeout(() => {
      asked.value = text
    }, PAUSE_MS)
  })
  onScopeDispose(() => {
    window.clearTimeout(timer)
  })
  return useQuery({
    queryKey: computed(() => ['transform', project.value, uid.value, asked.value]),
    queryFn: ({ signal }) => tryTransform({ path: { project: project.value }, body: { transform: { jsonata: asked.value }, uid: uid.value }, signal }),
    enabled: computed(() => uid.value !== '' && asked.value.trim() !== ''),
    placeholderData: keepPreviousData,
    staleTime: 10_000,
    retry: false,
  })
}

/** The event that something is tried on. */
export function useSampleEvent(project: Ref<string>, uid: Ref<string>) {
  return useQuery({
    queryKey: computed(() => ['event', project.value, uid.value]),
    queryFn: ({ signal }) => getEvent({ path: { project: project.value, uid: uid.value }, signal }),
    enabled: computed(() => uid.value !== ''),
  })
}
