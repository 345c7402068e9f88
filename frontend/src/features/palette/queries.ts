import { useQuery } from '@tanstack/vue-query'
import { computed, type Ref } from 'vue'

import { getDelivery, getEvent, listKeys, listProducers, listSources, listSubscriptions, listTypes } from '@/api'

const FRESH_MS = 30_000
const query = { limit: 500 }

/** Everything of a project that has a name, as far as who is signed in may read it. */
export function useNamed(project: Ref<string>, may: Ref<string[]>) {
  function list<T>(name: string, permission: string, ask: (signal: AbortSignal) => Promise<{ items: T[] }>) {
    return useQuery({
      queryKey: computed(() => ['palette', name, project.value]),
      queryFn: ({ signal }) => ask(signal),
      enabled: computed(() => may.value.includes(permission)),
      staleTime: FRESH_MS,
    })
  }
  const path = () => ({ project: project.value })
  return {
    subscriptions: list('subscriptions', 'subscriptions:read', (signal) => listSubscriptions({ path: path(), query, signal })).data,
    types: list('types', 'types:read', (signal) => listTypes({ path: path(), query, signal })).data,
    producers: list('producers', 'producers:read', (signal) => listProducers({ path: path(), query, signal })).data,
    sources: list('sources', 'sources:read', (signal) => listSources({ path: path(), query, signal })).data,
    keys: list('keys', 'keys:read', (signal) => listKeys({ path: path(), query, signal })).data,
  }
}

export type Named = ReturnType<typeof useNamed>

/** What has this id: an event, a delivery, or nothing. */
export type Jump = { is: 'event'; uid: string; type: string; receivedAt: string } | { is: 'delivery'; id: string; event: string; subscription: string; status: string }

export function useJump(project: Ref<string>, id: Ref<string | null>) {
  return useQuery({
    queryKey: computed(() => ['palette', 'id', project.value, id.value]),
    queryFn: async ({ signal }): Promise<Jump | null> => {
      const of = id.value ?? ''
      const [event, delivery] = await Promise.allSettled([
        getEvent({ path: { project: project.value, uid: of }, signal }),
        getDelivery({ path: { project: project.value, id: of }, signal }),
      ])
      if (event.status === 'fulfilled') return { is: 'event', uid: event.value.uid, type: event.value.event.type, receivedAt: event.value.receivedAt }
      if (delivery.status === 'rejected') return null
      const { event: uid, subscriptionName, status } = delivery.value
      return { is: 'delivery', id: of, event: uid, subscription: subscriptionName, status }
    },
    enabled: computed(() => id.value !== null),
    placeholderData: undefined,
    staleTime: FRESH_MS,
    retry: false,
  })
}
