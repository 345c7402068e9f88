import { shallowRef } from 'vue'

import type { StepBody } from '@/api'

/** What somebody who came in by another page is asked for next, on the page to sign in. */
export const pendingStep = shallowRef<StepBody | null>(null)
