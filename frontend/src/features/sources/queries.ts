import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, shallowReactive, type Ref } from 'vue'

import {
  addSourceSecret,
  createSource,
  deleteSource,
  endOlderSourceSecret,
  getSource,
  listEvents,
  listSourceKinds,
  listSources,
  replaceSource,
  type CreateSourceData,
  type GetSourceResponse,
  type ListEventsResponse,
  type ListSourceKindsResponse,
  type ReplaceSourceData,
} from '@/api'

export type Source = GetSourceResponse
export type Kind = ListSourceKindsResponse['items'][number]
export type NewSource = CreateSourceData['body']
export type SourceChange = ReplaceSourceData['body']
export type Received = ListEventsResponse['items'][number]

const POLL_MS = 2000
const CALM_MS = 10_000
const LOOK_BACK_MS = 15 * 60_000

/** Secrets that were made just now, by the id of their source: to be shown until the page is left, and kept nowhere. */
export const issued = shallowReactive(new Map<string, string>())

const list = (project: string) => ['sources', project]
const one = (project: string, name: string) => ['source', project, name]

export function useKinds(project: Ref<string>) {
  return useQuery({
    queryKey: computed(() => ['source-kinds', project.value]),
    queryFn: async ({ signal }) => (await listSourceKinds({ path: { project: project.value }, signal })).items,
    staleTime: 300_000,
  })
}

export function useSources(project: Ref<string>) {
  return useQuery({
    queryKey: computed(() => list(project.value)),
    queryFn: ({ signal }) => listSources({ path: { project: project.value }, query: { limit: 500 }, signal }),
  })
}

export function useSource(project: Ref<string>, name: Ref<string>) {
  return useQuery({
    queryKey: computed(() => one(project.value, name.value)),
    queryFn: ({ signal }) => getSource({ path: { project: project.value, source: name.value }, signal }),
    placeholderData: undefined,
    refetchOnWindowFocus: false,
  })
}

/** The newest events of a source since it was made, or of the last quarter of an hour; asked for while one looks. */
export function useReceived(project: Ref<string>, source: Ref<Source | undefined>) {
  const opened = Date.now()
  return useQuery({
    queryKey: computed(() => ['received', project.value, source.value?.name]),
    queryFn: async ({ signal }) => {
      const { name = '', createdAt = '' } = source.value ?? {}
      const since = new Date(Math.max(Date.parse(createdAt), opened - LOOK_BACK_MS)).toISOString()
      const query = { producer: [`source:${name}`], since, limit: 5 }
      return (await listEvents({ path: { project: project.value }, query, signal })).items
    },
    enabled: computed(() => source.value !== undefined),
    // A page that nobody sees does not ask: that is how intervals work here.
    refetchInterval: ({ state }) => (state.data?.length ? CALM_MS : POLL_MS),
    placeholderData: undefined,
  })
}

/** Changes of sources: each renews what is shown of them. */
export function useSourceChanges(project: Ref<string>) {
  const client = useQueryClient()
  const renew = (name: string) => Promise.all([list(project.value), one(project.value, name)].map((queryKey) => client.invalidateQueries({ queryKey })))
  const path = (source: string) => ({ project: project.value, source })

  const create = useMutation({
    mutationFn: (body: NewSource) => createSource({ path: { project: project.value }, body }),
    onSuccess: ({ name }) => renew(name),
  })
  const replace = useMutation({
    mutationFn: ({ name, body }: { name: string; body: SourceChange }) => replaceSource({ path: path(name), body }),
    onSuccess: (saved) => {
      client.setQueryData(one(project.value, saved.name), saved)
      return client.invalidateQueries({ queryKey: list(project.value) })
    },
  })
  const addSecret = useMutation({
    mutationFn: ({ name, secret }: { name: string; secret: string }) => addSourceSecret({ path: path(name), body: secret ? { secret } : {} }),
    onSuccess: ({ name }) => renew(name),
  })
  const endOlder = useMutation({
    mutationFn: (name: string) => endOlderSourceSecret({ path: path(name) }),
    onSuccess: (_, name) => renew(name),
  })
  const remove = useMutation({
    mutationFn: (name: string) => deleteSource({ path: path(name) }),
    onSuccess: (_, name) => {
      client.removeQueries({ queryKey: one(project.value, name) })
      return client.invalidateQueries({ queryKey: list(project.value) })
    },
  })
  return { create, replace, addSecret, endOlder, remove }
}
