import { computed, ref, watch } from 'vue'

import { useQueryState } from '@/app/project'
import { since } from '@/lib/time'

import type { AuditFilter } from './queries'

export const RANGES = [
  { value: '24h', label: 'Last 24 h' },
  { value: '7d', label: 'Last 7 days' },
  { value: '30d', label: 'Last 30 days' },
  { value: '365d', label: 'Last 365 days' },
  { value: 'any', label: 'Any time' },
]
export const USUAL = '30d'

/** The filter of the list, kept in the query string. */
export function useAuditFilter() {
  const { get, all, set } = useQueryState()
  const range = computed(() => get('since') || USUAL)
  // A range starts where it started when it was chosen: rows do not leave while they are read.
  const start = ref('')
  watch(
    range,
    (text) => {
      start.value = since(text, Date.now()) ?? ''
    },
    { immediate: true },
  )
  const filter = computed<AuditFilter>(() => ({ actor: get('actor'), action: all('action'), kind: all('kind'), thing: get('thing'), q: get('q'), since: start.value }))
  const narrowed = computed(() => ['actor', 'thing', 'q'].some((name) => get(name)) || all('action').length + all('kind').length > 0)
  function clear(): void {
    set({ actor: null, action: null, kind: null, thing: null, q: null })
  }
  return { get, set, range, filter, narrowed, clear }
}
