import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, type Ref } from 'vue'

import { createKey, listKeys, revokeKey, type CreateKeyData, type ListKeysResponse } from '@/api'

export type KeyRow = ListKeysResponse['items'][number]
export type { CreateKeyResponse as IssuedKey } from '@/api'

const key = (project: string) => ['keys', project]

export function useKeys(project: Ref<string>, enabled: Ref<boolean> | true = true) {
  return useQuery({
    queryKey: computed(() => key(project.value)),
    queryFn: ({ signal }) => listKeys({ path: { project: project.value }, query: { limit: 500 }, signal }),
    enabled,
  })
}

/** Makes a key; its text is in the answer and nowhere else. */
export function useCreateKey(project: Ref<string>) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: CreateKeyData['body']) => createKey({ path: { project: project.value }, body }),
    onSuccess: () => client.invalidateQueries({ queryKey: key(project.value) }),
  })
}

export function useRevokeKey(project: Ref<string>) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (id: string) => revokeKey({ path: { project: project.value, key: id } }),
    onSuccess: () => client.invalidateQueries({ queryKey: key(project.value) }),
  })
}
