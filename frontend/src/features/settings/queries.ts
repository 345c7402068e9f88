import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, type Ref } from 'vue'

import { getSettings, replaceSettings, type GetSettingsResponse } from '@/api'

export type Settings = GetSettingsResponse

const key = (project: string) => ['settings', project]

export function useSettings(project: Ref<string>) {
  return useQuery({
    queryKey: computed(() => key(project.value)),
    queryFn: ({ signal }) => getSettings({ path: { project: project.value }, signal }),
    placeholderData: undefined,
    refetchOnWindowFocus: false,
  })
}

export function useSaveSettings(project: Ref<string>) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: Settings) => replaceSettings({ path: { project: project.value }, body }),
    onSuccess: (saved) => {
      client.setQueryData(key(project.value), saved)
    },
  })
}
