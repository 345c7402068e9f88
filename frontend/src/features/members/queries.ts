import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, type Ref } from 'vue'

import { leaveProject, listMembers, removeMember, setMemberRole, type ListMembersResponse } from '@/api'

export type Member = ListMembersResponse['items'][number]

const key = (project: string) => ['members', project]

export function useMembers(project: Ref<string>) {
  return useQuery({
    queryKey: computed(() => key(project.value)),
    queryFn: ({ signal }) => listMembers({ path: { project: project.value }, query: { limit: 500 }, signal }),
  })
}

/** How many have a role is shown with the roles, and keys may have gone with somebody. */
function useMembersChanged(project: Ref<string>) {
  const client = useQueryClient()
  return () => Promise.all([key(project.value), ['roles', project.value], ['keys', project.value], ['me']].map((queryKey) => client.invalidateQueries({ queryKey })))
}

export function useSetRole(project: Ref<string>) {
  const onSuccess = useMembersChanged(project)
  return useMutation({
    mutationFn: ({ id, role }: { id: string; role: string }) => setMemberRole({ path: { project: project.value, user: id }, body: { role } }),
    onSuccess,
  })
}

export function useRemoveMember(project: Ref<string>) {
  const onSuccess = useMembersChanged(project)
  return useMutation({
    mutationFn: ({ id, revokeKeys }: { id: string; revokeKeys: boolean }) => removeMember({ path: { project: project.value, user: id }, query: { revokeKeys } }),
    onSuccess,
  })
}

/** Ends one's own membership. Nothing of the project can be read afterwards, so nothing of it is asked for again. */
export function useLeaveProject(project: Ref<string>) {
  return useMutation({
    mutationFn: (revokeKeys: boolean) => leaveProject({ path: { project: project.value }, query: { revokeKeys } }),
  })
}
