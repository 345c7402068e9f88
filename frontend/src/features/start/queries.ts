import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, type Ref } from 'vue'

import {
  createSubscription,
  getSink,
  listDeliveries,
  listEvents,
  listSubscriptions,
  sendEvents,
  setSink,
  type GetSinkResponse,
} from '@/api'

export type SinkState = GetSinkResponse
export type Answer = GetSinkResponse['answer']

const POLL_MS = 1500
const NAME = 'built-in sink'

/** The built-in sink: what it was sent and what it answers. */
export function useSink(project: Ref<string>) {
  return useQuery({
    queryKey: computed(() => ['sink', project.value]),
    queryFn: ({ signal }) => getSink({ path: { project: project.value }, signal }),
    refetchInterval: POLL_MS,
  })
}

export function useSetAnswer(project: Ref<string>) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (answer: Answer) => setSink({ path: { project: project.value }, body: { answer } }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['sink', project.value] }),
  })
}

export function useNewestEvent(project: Ref<string>) {
  return useQuery({
    queryKey: computed(() => ['newest', project.value]),
    queryFn: async ({ signal }) => (await listEvents({ path: { project: project.value }, query: { limit: 1 }, signal })).items[0] ?? null,
    refetchInterval: POLL_MS,
  })
}

const LOOKED_AT = 5

/** The subscriptions of the built-in sink, those that take everything first. */
async function subscribed(project: string, url: string) {
  const { items } = await listSubscriptions({ path: { project }, query: { limit: 500 } })
  const found = items.filter(({ sink }) => sink === url)
  return [...found.filter(takesAll), ...found.filter((one) => !takesAll(one))]
}

const takesAll = ({ filters }: { filters: unknown[] }) => filters.length === 0

/** The newest delivery to the built-in sink; null while nothing is subscribed to it or nothing was sent. */
export function useNewestDelivery(project: Ref<string>, url: Ref<string>) {
  return useQuery({
    queryKey: computed(() => ['newest-delivery', project.value, url.value]),
    queryFn: async ({ signal }) => {
      const subscriptions = (await subscribed(project.value, url.value)).slice(0, LOOKED_AT)
      const lists = await Promise.all(
        subscriptions.map(({ id }) => listDeliveries({ path: { project: project.value }, query: { subscription: [id], limit: 1 }, signal })),
      )
      return lists.flatMap(({ items }) => items).sort((a, b) => b.createdAt.localeCompare(a.createdAt))[0] ?? null
    },
    enabled: computed(() => url.value !== ''),
    refetchInterval: POLL_MS,
  })
}

/** Subscribes the built-in sink to everything unless that was done, then sends an event. */
export function useSendTest(project: Ref<string>, url: Ref<string>) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: async () => {
      const path = { project: project.value }
      if (!(await subscribed(project.value, url.value)).some(takesAll)) {
        await createSubscription({ path, body: { name: NAME, filters: [], sink: url.value } })
      }
      await sendEvents({
        path,
        body: {
          specversion: '1.0',
          id: crypto.randomUUID(),
          source: '/console',
          type: 'com.acme.order.created',
          subject: 'orders/A-1',
          time: new Date().toISOString(),
          datacontenttype: 'application/json',
          data: { order: 'A-1', total: { amount: 49, currency: 'EUR' } },
        },
      })
    },
    onSuccess: () =>
      Promise.all([['newest'], ['newest-delivery'], ['sink']].map((queryKey) => client.invalidateQueries({ queryKey }))),
  })
}
