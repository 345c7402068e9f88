import { onBeforeUnmount, ref, type Ref } from 'vue'

/** Whether a media query holds, kept up to date while the component is on screen. */
export function useMediaQuery(query: string): Ref<boolean> {
  const list = window.matchMedia(query)
  const matches = ref(list.matches)
  const renew = () => {
    matches.value = list.matches
  }
  list.addEventListener('change', renew)
  onBeforeUnmount(() => {
    list.removeEventListener('change', renew)
  })
  return matches
}
