import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, type Ref } from 'vue'

import {
  createProducer,
  deleteProducer,
  getProducer,
  listProducers,
  replaceProducer,
  type CreateProducerData,
  type GetProducerResponse,
} from '@/api'

export type Producer = GetProducerResponse
export type ProducerDraft = CreateProducerData['body']

const list = (project: string) => ['producers', project]
const one = (project: string, name: string) => ['producer', project, name]

export function useProducers(project: Ref<string>, enabled: Ref<boolean> | true = true) {
  return useQuery({
    queryKey: computed(() => list(project.value)),
    queryFn: ({ signal }) => listProducers({ path: { project: project.value }, query: { limit: 500 }, signal }),
    enabled,
  })
}

export function useProducer(project: Ref<string>, name: Ref<string>) {
  return useQuery({
    queryKey: computed(() => one(project.value, name.value)),
    queryFn: ({ signal }) => getProducer({ path: { project: project.value, producer: name.value }, signal }),
    enabled: computed(() => name.value !== ''),
    placeholderData: undefined,
    refetchOnWindowFocus: false,
  })
}

/** Creates, or replaces the one of that name. */
export function useSaveProducer(project: Ref<string>) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: ({ name, body }: { name: string; body: ProducerDraft }) =>
      name ? replaceProducer({ path: { project: project.value, producer: name }, body }) : createProducer({ path: { project: project.value }, body }),
    onSuccess: (saved) => {
      client.setQueryData(one(project.value, saved.name), saved)
      // Keys carry the name of their producer.
      return Promise.all([list(project.value), ['keys', project.value]].map((queryKey) => client.invalidateQueries({ queryKey })))
    },
  })
}

export function useRemoveProducer(project: Ref<string>) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (name: string) => deleteProducer({ path: { project: project.value, producer: name } }),
    onSuccess: (_, name) => {
      client.removeQueries({ queryKey: one(project.value, name) })
      return Promise.all([list(project.value), ['keys', project.value]].map((queryKey) => client.invalidateQueries({ queryKey })))
    },
  })
}
