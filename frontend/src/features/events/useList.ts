import { computed, type Ref } from 'vue'
import { useRouter } from 'vue-router'

import { useShortcuts } from '@/app/keyboard'
import { useMediaQuery } from '@/app/media'
import type { Selection } from '@/components/selection'

import type { EventFilterState } from './filter'
import type { EventRow } from './queries'

/** What stands before the rows for Enter and Escape: a span in the histogram. */
export interface Brushing {
  brushing: () => boolean
  zoom: () => void
  clear: () => void
}

interface Parts {
  project: Ref<string>
  state: EventFilterState
  rows: Ref<EventRow[]>
  selection: Selection
  brush: Ref<Brushing | null>
  search: Ref<{ focus: () => void } | null>
}

/** The row that is open, the column of facets beside it, and the keys of the list. */
export function useList({ project, state, rows, selection, brush, search }: Parts) {
  const router = useRouter()
  const { get, set } = state
  const small = useMediaQuery('(max-width: 639px)')
  /** There is room for both the facets and the panel. */
  const broad = useMediaQuery('(min-width: 1600px)')
  const open = computed(() => get('event'))
  const facets = computed(() => get('facets') === 'open' && (broad.value || small.value || open.value === ''))

  function openPage(uid: string): void {
    void router.push({ name: 'event', params: { project: project.value, uid } })
  }
  function show(uid: string | null): void {
    set({ event: uid, ...(uid && !broad.value ? { facets: null } : {}) }, 'replace')
  }
  function choose(row: EventRow): void {
    if (small.value) openPage(row.uid)
    else show(row.uid === open.value ? null : row.uid)
  }
  function move(by: number): void {
    const at = rows.value.findIndex(({ uid }) => uid === open.value)
    const next = rows.value[at < 0 ? 0 : Math.min(rows.value.length - 1, Math.max(0, at + by))]
    if (next) show(next.uid)
  }
  function toggleFacets(): void {
    set({ facets: facets.value ? null : 'open', ...(facets.value || broad.value ? {} : { event: null }) }, 'replace')
  }
  useShortcuts({
    j: () => move(1),
    k: () => move(-1),
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    x: () => open.value && selection.toggle(open.value),
    f: toggleFacets,
    '/': () => search.value?.focus(),
    Enter: () => {
      if (brush.value?.brushing()) brush.value.zoom()
      else if (open.value) openPage(open.value)
    },
    Escape: () => {
      if (brush.value?.brushing()) brush.value.clear()
      else if (open.value) show(null)
      else selection.clear()
    },
  })
  return { small, open, facets, choose, move, show, toggleFacets }
}
