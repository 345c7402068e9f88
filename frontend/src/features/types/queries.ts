import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, type Ref } from 'vue'

import {
  checkData,
  deleteType,
  getType,
  listEvents,
  listTypes,
  putType,
  type CheckDataData,
  type CheckDataResponse,
  type GetTypeResponse,
  type ListTypesResponse,
  type PutTypeData,
} from '@/api'
import { ApiError } from '@/lib/problem'

export type EventType = GetTypeResponse
export type TypeRow = ListTypesResponse['items'][number]
export type Mode = TypeRow['schemaMode']
export type TypeBody = PutTypeData['body']
export type Verdict = CheckDataResponse
export type CheckBody = CheckDataData['body']

async function isRegistered(path: { project: string; type: string }): Promise<boolean> {
  try {
    await getType({ path })
    return true
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return false
    throw error
  }
}

const list = (project: string) => ['types', project]
const one = (project: string, type: string) => ['type', project, type]

export function useTypes(project: Ref<string>) {
  return useQuery({
    queryKey: computed(() => list(project.value)),
    queryFn: ({ signal }) => listTypes({ path: { project: project.value }, query: { limit: 500 }, signal }),
  })
}

export function useType(project: Ref<string>, type: Ref<string>) {
  return useQuery({
    queryKey: computed(() => one(project.value, type.value)),
    queryFn: ({ signal }) => getType({ path: { project: project.value, type: type.value }, signal }),
    enabled: computed(() => type.value !== ''),
    placeholderData: undefined,
    refetchOnWindowFocus: false,
  })
}

/** Changes a type, or registers a new one, which must not be there yet: to put it would replace what another has said. */
export function useSaveType(project: Ref<string>) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: async ({ type, body, fresh }: { type: string; body: TypeBody; fresh: boolean }) => {
      const path = { project: project.value, type }
      if (fresh && (await isRegistered(path))) throw new ApiError(409, 'Registered already', `${type} is registered already: open it to change it.`)
      return putType({ path, body })
    },
    onSuccess: (saved) => {
      client.setQueryData(one(project.value, saved.type), saved)
      return client.invalidateQueries({ queryKey: list(project.value) })
    },
  })
}

export function useRemoveType(project: Ref<string>) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (type: string) => deleteType({ path: { project: project.value, type } }),
    onSuccess: (_, type) => {
      client.removeQueries({ queryKey: one(project.value, type) })
      return client.invalidateQueries({ queryKey: list(project.value) })
    },
  })
}

/** What a schema has against some data; nothing is saved. */
export function useCheckData(project: Ref<string>) {
  return useMutation({
    mutationFn: ({ type, body }: { type: string; body: CheckBody }) => checkData({ path: { project: project.value, type }, body }),
  })
}

/** The newest stored event of a type, or null. */
export function useTakeNewest(project: Ref<string>) {
  return useMutation({
    mutationFn: async (type: string) => (await listEvents({ path: { project: project.value }, query: { type: [type], limit: 1 } })).items[0] ?? null,
  })
}
