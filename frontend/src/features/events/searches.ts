import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, type Ref } from 'vue'

import { deleteSearch, listSearches, saveSearch, type SaveSearchData } from '@/api'

const key = (project: string) => ['searches', 'events', project]

/** The searches that are kept for the events of a project, by name. */
export function useSearches(project: Ref<string>, enabled: Ref<boolean>) {
  return useQuery({
    queryKey: computed(() => key(project.value)),
    queryFn: ({ signal }) => listSearches({ path: { project: project.value }, query: { page: 'events', limit: 500 }, signal }),
    enabled,
    staleTime: 30_000,
  })
}

export function useSaveSearch(project: Ref<string>) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: SaveSearchData['body']) => saveSearch({ path: { project: project.value }, body }),
    onSuccess: () => client.invalidateQueries({ queryKey: key(project.value) }),
  })
}

export function useDeleteSearch(project: Ref<string>) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (id: string) => deleteSearch({ path: { project: project.value, search: id } }),
    onSuccess: () => client.invalidateQueries({ queryKey: key(project.value) }),
  })
}
