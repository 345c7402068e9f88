import { onBeforeUnmount, onMounted } from 'vue'
import { onBeforeRouteLeave, onBeforeRouteUpdate, type RouteLocationNormalized } from 'vue-router'

/** Asks before what was typed is lost, whether the page changes within the console or is closed. */
export function useLeaveGuard(unsaved: () => boolean): void {
  const ask = (to: RouteLocationNormalized, from: RouteLocationNormalized) =>
    to.path === from.path || !unsaved() || window.confirm('Leave without saving?')
  onBeforeRouteLeave(ask)
  onBeforeRouteUpdate(ask)
  const warn = (event: BeforeUnloadEvent) => {
    if (unsaved()) event.preventDefault()
  }
  onMounted(() => {
    window.addEventListener('beforeunload', warn)
  })
  onBeforeUnmount(() => {
    window.removeEventListener('beforeunload', warn)
  })
}
