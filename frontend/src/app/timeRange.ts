import { computed, ref, watch, type ComputedRef } from 'vue'

import { spanOf, type RangeText, type Span } from '@/lib/range'

import { useQueryState, type QueryChange } from './project'

/** The range of time of a page, kept in the query string; `TimeRange.vue` shows and changes it. */
export interface TimeRangeState {
  /** As the address has it, or what holds without a word there: `1h`, `any`, instants. */
  text: ComputedRef<RangeText>
  /**
   * The instants that it means. A range such as `1h` starts where it started when it was chosen: rows do not leave
   * while they are read, until `renew` is called.
   */
  span: ComputedRef<Span>
  /** The instant at which `span` was taken, in milliseconds: the end of a range that is open. */
  taken: ComputedRef<number>
  set: (text: RangeText) => void
  /** Takes the range anew: for what follows the clock, and for who asks for what is new. */
  renew: () => void
}

/**
 * The range of time of this page. `usual` is what holds when the address says nothing; `reset` are members of the query
 * string that a change of the range drops, such as the row that is open.
 */
export function useTimeRange(usual = '1h', reset: QueryChange = {}): TimeRangeState {
  const { get, set } = useQueryState()
  const text = computed<RangeText>(() => ({ since: get('since') || (get('until') ? 'any' : usual), until: get('until') }))
  const taken = ref(Date.now())
  function renew(): void {
    taken.value = Date.now()
  }
  watch(() => `${text.value.since} ${text.value.until}`, renew, { flush: 'sync' })
  return {
    text,
    span: computed(() => spanOf(text.value, taken.value)),
    taken: computed(() => taken.value),
    set: ({ since, until }) => {
      set({ ...reset, since: since === usual && !until ? null : since, until: until || null })
    },
    renew,
  }
}
