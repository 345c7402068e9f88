import { ref } from 'vue'

import { toApiError, unplaced, type Fault } from '@/lib/problem'

/** Sending a form: what the API had against which member, and as one text what no field of `pointers` shows. */
export function useSubmit(pointers: string[]) {
  const faults = ref<Fault[]>([])
  const failure = ref('')

  function forget(): void {
    faults.value = []
    failure.value = ''
  }
  /** What `act` gives, or null when it failed, which is then told. */
  async function submit<T>(act: () => Promise<T>): Promise<T | null> {
    forget()
    try {
      return await act()
    } catch (error) {
      const told = toApiError(error)
      faults.value = told.faults
      failure.value = told.faults.length ? unplaced(told.faults, pointers) : told.message
      return null
    }
  }
  return { faults, failure, submit, forget }
}
