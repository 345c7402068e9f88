import { computed, onBeforeUnmount, ref, watch, type Ref } from 'vue'

import { sayFailed } from '@/app/toasts'
import type { Dialect } from '@/lib/filterRows'
import { toApiError, type Fault } from '@/lib/problem'

import { bodyOf, changes, draftOf, FRESH, type Draft } from './draft'
import { finishedOf, isCesql } from './filterForm'
import { useCheck, useSave, useSubscription, type Subscription } from './queries'

/** The pause after which the preview is asked for. */
const PAUSE_MS = 300

/** A subscription being edited: what is saved, what is typed, the difference, and what it would match. */
export function useEdit(project: Ref<string>, id: Ref<string>) {
  const saved = useSubscription(project, id)
  const saving = useSave(project)

  const draft = ref<Draft>({ ...FRESH })
  const base = computed(() => (saved.data.value ? draftOf(saved.data.value) : FRESH))
  const count = computed(() => (id.value && !saved.data.value ? 0 : changes(draft.value, base.value)))
  const faults = ref<Fault[]>([])
  const failure = ref('')
  /** Whether a row of the filter lacks a part. */
  const unfinished = ref(false)

  function discard(): void {
    draft.value = JSON.parse(JSON.stringify(base.value)) as Draft
    faults.value = []
    failure.value = ''
  }
  // Only another subscription replaces what is typed: a renewed answer must not.
  watch([id, () => saved.data.value?.id, () => saved.data.value?.version], discard, { immediate: true })

  async function save(state?: Subscription['state']): Promise<Subscription | null> {
    faults.value = []
    failure.value = ''
    if (unfinished.value && isCesql(draft.value.filters)) {
      // In CESQL a row without a value would not be refused: it would be left out.
      faults.value = [{ pointer: '/filters', detail: 'A row has no value yet: finish it, or take it away.' }]
      return null
    }
    try {
      return await saving.mutateAsync({ id: id.value, body: { ...bodyOf(draft.value), ...(state ? { state } : {}) } })
    } catch (error) {
      const told = toApiError(error)
      faults.value = told.faults
      failure.value = told.faults.length ? '' : told.message
      sayFailed('Not saved', told)
      return null
    }
  }

  const finished = computed(() => finishedOf(draft.value.filters))
  const asked = ref<Dialect[] | null>(null)
  let timer = 0
  watch(
    () => [id.value && !saved.data.value, JSON.stringify(finished.value)] as const,
    ([waiting], before) => {
      window.clearTimeout(timer)
      if (waiting) return
      const ask = () => {
        asked.value = JSON.parse(JSON.stringify(finished.value)) as Dialect[]
      }
      if (before === undefined || asked.value === null) ask()
      else timer = window.setTimeout(ask, PAUSE_MS)
    },
    { immediate: true },
  )
  onBeforeUnmount(() => {
    window.clearTimeout(timer)
  })
  const check = useCheck(project, asked, id)
  /** What the preview has against the filter as it is now, not as it was before the last pause. */
  const filterFaults = computed(() => (check.error.value && JSON.stringify(asked.value) === JSON.stringify(finished.value) ? toApiError(check.error.value).faults : []))

  return { saved, base, loading: saving.isPending, draft, count, faults, filterFaults, failure, save, discard, check, unfinished }
}
