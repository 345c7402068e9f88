import { computed, onBeforeUnmount, ref, watch, type Ref } from 'vue'

/** Rows drawn above and below those that can be seen. */
const BEYOND = 6

/** Which rows of a list can be seen, where all are of one height: nothing is kept for a row that is not drawn. */
export interface RowWindow {
  /** The first row that is drawn, and the one after the last. */
  first: number
  end: number
}

/** The rows to draw when `height` pixels are seen from `top`. */
export function windowOf(top: number, seen: number, height: number, count: number): RowWindow {
  const first = Math.max(0, Math.min(count, Math.floor(top / height)) - BEYOND)
  return { first, end: Math.min(count, Math.ceil((top + seen) / height) + BEYOND) }
}

/** Where to scroll to so that a row is seen as a whole; null when it is. */
export function scrollFor(index: number, top: number, seen: number, height: number): number | null {
  if (index * height < top) return index * height
  if ((index + 1) * height > top + seen) return (index + 1) * height - seen
  return null
}

/** Follows a scroller with a header that sticks at its top. */
export function useRowWindow(scroller: Ref<HTMLElement | null>, count: () => number, height: () => number, header: () => number) {
  const top = ref(0)
  const seen = ref(0)
  function measure(): void {
    if (!scroller.value) return
    top.value = scroller.value.scrollTop
    seen.value = Math.max(0, scroller.value.clientHeight - header())
  }
  const sizes = new ResizeObserver(measure)
  watch(
    scroller,
    (element, before) => {
      before?.removeEventListener('scroll', measure)
      sizes.disconnect()
      if (!element) return
      element.addEventListener('scroll', measure, { passive: true })
      sizes.observe(element)
      measure()
    },
    { immediate: true, flush: 'post' },
  )
  onBeforeUnmount(() => {
    sizes.disconnect()
  })
  const shown = computed(() => windowOf(top.value, seen.value, height(), count()))

  function scrollTo(index: number): void {
    measure()
    const next = scrollFor(index, top.value, seen.value, height())
    if (next === null) return
    scroller.value?.scrollTo({ top: next })
    measure()
  }
  /** The rows that are seen as they are scrolled now, without those drawn beyond. */
  function onScreen(): RowWindow {
    measure()
    return { first: Math.floor(top.value / height()), end: Math.min(count(), Math.ceil((top.value + seen.value) / height())) }
  }
  return { shown, scrollTo, onScreen }
}
