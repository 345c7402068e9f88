import { computed, ref, watch, type Ref } from 'vue'

import type { Bar } from './histogram'

/** A span of bars that somebody is choosing: from the left edge of one to the right edge of another. */
export function useBrush(bars: Ref<Bar[]>) {
  const anchor = ref(0)
  const end = ref(0)
  const on = ref(false)
  const first = computed(() => Math.min(anchor.value, end.value))
  const last = computed(() => Math.max(anchor.value, end.value))
  const span = computed(() => {
    const [from, to] = [bars.value[first.value], bars.value[last.value]]
    if (!on.value || !from || !to) return null
    return { since: from.since, until: to.until, left: from.left, right: to.left + to.width, first: first.value, last: last.value }
  })
  const clamp = (index: number) => Math.min(bars.value.length - 1, Math.max(0, index))

  // Other bars are other times.
  watch(
    () => `${String(bars.value[0]?.since)} ${String(bars.value.length)}`,
    () => (on.value = false),
  )

  /** Which bar lies at a share of the width. */
  function barAt(share: number): number {
    const at = bars.value.findIndex(({ left, width }) => share < left + width)
    return clamp(at < 0 ? bars.value.length - 1 : at)
  }
  function start(index: number): void {
    anchor.value = end.value = clamp(index)
    on.value = bars.value.length > 0
  }
  function reach(index: number): void {
    end.value = clamp(index)
  }
  /** Moves one edge by some bars; the edges may not pass each other. */
  function nudge(edge: 'first' | 'last', by: number): void {
    const [from, to] = [first.value, last.value]
    anchor.value = edge === 'first' ? clamp(Math.min(from + by, to)) : from
    end.value = edge === 'last' ? clamp(Math.max(to + by, from)) : to
  }
  /** Takes an edge in the hand: the other one stays. */
  function grab(edge: 'first' | 'last'): void {
    const [from, to] = [first.value, last.value]
    anchor.value = edge === 'first' ? to : from
    end.value = edge === 'first' ? from : to
  }
  function clear(): void {
    on.value = false
  }
  return { span, barAt, start, reach, nudge, grab, clear }
}
