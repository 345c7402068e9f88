import { ref } from 'vue'

import { sayFailed } from './toasts'

/** Does one thing at a time: what is asked for meanwhile is not begun. What fails is told under `failed`. */
export function useOneAtATime() {
  const busy = ref(false)
  return async function run(failed: string, act: () => Promise<void>): Promise<void> {
    if (busy.value) return
    busy.value = true
    try {
      await act()
    } catch (error) {
      sayFailed(failed, error)
    }
    busy.value = false
  }
}
