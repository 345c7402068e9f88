import { watch } from 'vue'

import { useProject } from './project'

/** Names the window after what the page shows. */
export function useTitle(name: () => string): void {
  const project = useProject()
  watch(
    name,
    (shown) => {
      document.title = `${shown} · ${project.value} · Weir`
    },
    { immediate: true },
  )
}
