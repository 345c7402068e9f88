import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, type Ref } from 'vue'

import {
  acceptInvitation,
  createInvitation,
  listInvitations,
  openInvitation,
  resendInvitation,
  revokeInvitation,
  type AcceptInvitationData,
  type CreateInvitationData,
  type ListInvitationsResponse,
} from '@/api'
import { accessToken } from '@/app/session'

export type Invitation = ListInvitationsResponse['items'][number]
export type { CreateInvitationResponse as IssuedInvitation, OpenInvitationResponse as OpenedInvitation } from '@/api'

const key = (project: string) => ['invitations', project]

export function useInvitations(project: Ref<string>) {
  return useQuery({
    queryKey: computed(() => key(project.value)),
    queryFn: ({ signal }) => listInvitations({ path: { project: project.value }, query: { limit: 500 }, signal }),
  })
}

function useChanged(project: Ref<string>) {
  const client = useQueryClient()
  return () => client.invalidateQueries({ queryKey: key(project.value) })
}

/** Invites; the link is in the answer and nowhere else. */
export function useInvite(project: Ref<string>) {
  const onSuccess = useChanged(project)
  return useMutation({ mutationFn: (body: CreateInvitationData['body']) => createInvitation({ path: { project: project.value }, body }), onSuccess })
}

export function useResend(project: Ref<string>) {
  const onSuccess = useChanged(project)
  return useMutation({ mutationFn: (id: string) => resendInvitation({ path: { project: project.value, invitation: id } }), onSuccess })
}

export function useRevoke(project: Ref<string>) {
  const onSuccess = useChanged(project)
  return useMutation({ mutationFn: (id: string) => revokeInvitation({ path: { project: project.value, invitation: id } }), onSuccess })
}

/** The routes are for everybody; whoever is signed in says so. */
function headers(): Record<string, string> {
  const token = accessToken()
  return token ? { authorization: `Bearer ${token}` } : {}
}

export function open(token: string) {
  return openInvitation({ body: { token }, headers: headers() })
}

export function accept(body: AcceptInvitationData['body']) {
  return acceptInvitation({ body, headers: headers() })
}
