import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, type Ref } from 'vue'

import { createRole, deleteRole, listRoles, replaceRole, type CreateRoleData, type ListRolesResponse, type ReplaceRoleData } from '@/api'

export type Role = ListRolesResponse['items'][number]
export type Permission = ListRolesResponse['permissions'][number]

const key = (project: string) => ['roles', project]

export function useRoles(project: Ref<string>) {
  return useQuery({
    queryKey: computed(() => key(project.value)),
    queryFn: ({ signal }) => listRoles({ path: { project: project.value }, signal }),
  })
}

/** What a role allows is what its holders may do, and one of them may be looking. */
function useRolesChanged(project: Ref<string>) {
  const client = useQueryClient()
  return () => Promise.all([key(project.value), ['members', project.value], ['me']].map((queryKey) => client.invalidateQueries({ queryKey })))
}

export function useCreateRole(project: Ref<string>) {
  const onSuccess = useRolesChanged(project)
  return useMutation({ mutationFn: (body: CreateRoleData['body']) => createRole({ path: { project: project.value }, body }), onSuccess })
}

export function useReplaceRole(project: Ref<string>) {
  const onSuccess = useRolesChanged(project)
  return useMutation({
    mutationFn: ({ name, body }: { name: string; body: ReplaceRoleData['body'] }) => replaceRole({ path: { project: project.value, role: name }, body }),
    onSuccess,
  })
}

export function useDeleteRole(project: Ref<string>) {
  const onSuccess = useRolesChanged(project)
  return useMutation({ mutationFn: (name: string) => deleteRole({ path: { project: project.value, role: name } }), onSuccess })
}
