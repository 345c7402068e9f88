import { nextTick, ref } from 'vue'

import { toApiError, unplaced, type Fault } from '@/lib/problem'

import { sayFailed } from './toasts'

/** Sending a form: what the API had against which member, and as one text what no field of `pointers` shows. */
export function useSubmit(pointers: string[]) {
  const faults = ref<Fault[]>([])
  const failure = ref('')

  function forget(): void {
    faults.value = []
    failure.value = ''
  }
  /** What `act` gives, or null when it failed: that is told, and the first field that is wrong gets the focus. */
  async function submit<T>(act: () => Promise<T>): Promise<T | null> {
    forget()
    try {
      return await act()
    } catch (error) {
      const told = toApiError(error)
      faults.value = told.faults
      failure.value = told.faults.length ? unplaced(told.faults, pointers) : told.message
      sayFailed('Not done', told)
      await nextTick()
      document.querySelector<HTMLElement>(':is(input, textarea)[aria-invalid=true]')?.focus()
      return null
    }
  }
  return { faults, failure, submit, forget }
}
