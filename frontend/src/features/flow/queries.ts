import { keepPreviousData, useQuery } from '@tanstack/vue-query'
import { computed, type Ref } from 'vue'

import { getFlow, type FlowBody } from '@/api'
import { spanOf, type RangeText } from '@/lib/range'

export type Flow = FlowBody

const EVERY_MS = 10_000

export function useFlow(project: Ref<string>, range: Ref<RangeText>) {
  return useQuery({
    queryKey: computed(() => ['flow', project.value, range.value.since, range.value.until]),
    queryFn: ({ signal }) => {
      const { since, until } = spanOf(range.value, Date.now())
      return getFlow({ path: { project: project.value }, query: { since: since || undefined, until: until || undefined }, signal })
    },
    placeholderData: keepPreviousData,
    refetchInterval: () => (range.value.until ? false : EVERY_MS),
  })
}
