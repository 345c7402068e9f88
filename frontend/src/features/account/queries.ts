import { useMutation, useQueryClient } from '@tanstack/vue-query'

import { setPassword, type SetPasswordData } from '@/api'

export function useSetPassword() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: SetPasswordData['body']) => setPassword({ body }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['me'] }),
  })
}
