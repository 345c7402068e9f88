import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, ref, type Ref } from 'vue'

import {
  createKey,
  endPreviousSecret,
  listKeys,
  replaceKey,
  revokeKey,
  rotateKey,
  type CreateKeyData,
  type ListKeysResponse,
  type ReplaceKeyData,
} from '@/api'

export type KeyRow = ListKeysResponse['items'][number]
export type KeyState = 'active' | 'revoked'
export type { CreateKeyResponse as IssuedKey } from '@/api'

const all = (project: string) => ['keys', project]

/** A project's keys, the newest 500; `search` is in a name or a scope, or how an id begins. */
export function useKeys(project: Ref<string>, enabled: Ref<boolean> | true = true, state: Ref<KeyState> = ref('active'), search: Ref<string> = ref('')) {
  return useQuery({
    queryKey: computed(() => [...all(project.value), state.value, search.value]),
    queryFn: ({ signal }) => listKeys({ path: { project: project.value }, query: { limit: 500, state: state.value, q: search.value || null }, signal }),
    enabled,
  })
}

function useChanged(project: Ref<string>) {
  const client = useQueryClient()
  return () => client.invalidateQueries({ queryKey: all(project.value) })
}

/** Makes a key; its text is in the answer and nowhere else. */
export function useCreateKey(project: Ref<string>) {
  const onSuccess = useChanged(project)
  return useMutation({ mutationFn: (body: CreateKeyData['body']) => createKey({ path: { project: project.value }, body }), onSuccess })
}

/** Gives a key another secret; the text is in the answer and nowhere else. `overlap` is an ISO 8601 duration. */
export function useRotateKey(project: Ref<string>) {
  const onSuccess = useChanged(project)
  return useMutation({
    mutationFn: ({ id, overlap }: { id: string; overlap: string }) => rotateKey({ path: { project: project.value, key: id }, body: { overlap } }),
    onSuccess,
  })
}

export function useEndPreviousSecret(project: Ref<string>) {
  const onSuccess = useChanged(project)
  return useMutation({ mutationFn: (id: string) => endPreviousSecret({ path: { project: project.value, key: id } }), onSuccess })
}

export function useReplaceKey(project: Ref<string>) {
  const onSuccess = useChanged(project)
  return useMutation({
    mutationFn: ({ id, body }: { id: string; body: ReplaceKeyData['body'] }) => replaceKey({ path: { project: project.value, key: id }, body }),
    onSuccess,
  })
}

export function useRevokeKey(project: Ref<string>) {
  const onSuccess = useChanged(project)
  return useMutation({ mutationFn: (id: string) => revokeKey({ path: { project: project.value, key: id } }), onSuccess })
}
