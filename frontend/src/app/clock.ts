import { onBeforeUnmount, onMounted, ref, type Ref } from 'vue'

/** The time in milliseconds since the epoch, renewed every second while the component is on screen. */
export function useNow(): Ref<number> {
  const now = ref(Date.now())
  let timer = 0
  onMounted(() => {
    timer = window.setInterval(() => {
      now.value = Date.now()
    }, 1000)
  })
  onBeforeUnmount(() => {
    window.clearInterval(timer)
  })
  return now
}
