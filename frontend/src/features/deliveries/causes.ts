import type { QueryChange } from '@/app/project'
import { answerOf, type AnswerWords } from '@/lib/answer'
import { answerWords } from '@/lib/status'

import type { DeliveryFilter } from './filter'
import type { Cause } from './queries'

type CauseKey = Pick<Cause, 'status' | 'subscription' | 'statusCode' | 'error'>

/** What tells one cause from another. */
export const keyOf = ({ status, subscription, statusCode, error }: CauseKey) => [status, subscription, statusCode ?? '', error ?? ''].join(' ')

/** What happened, as it is said: `503` with its name, or in a word why nothing came. */
export function causeWords({ statusCode, error }: Pick<Cause, 'statusCode' | 'error'>): AnswerWords {
  if (statusCode == null) return answerOf(null, error || 'no answer')
  const [word = '', ...rest] = answerWords(statusCode).split(' ')
  return { word, rest: rest.join(' ') }
}

/** What narrows a list to the deliveries of a cause, in the words of the list. */
function narrowing({ status, subscription, statusCode, error }: CauseKey) {
  return { status, subscription: [subscription], statusCode: [statusCode == null ? 'none' : String(statusCode)], ...(error ? { error } : {}) }
}

/** The rows of a cause: the change of the query string that shows them. */
export function rowsOf(cause: CauseKey): QueryChange {
  return { ...narrowing(cause), group: null, delivery: null, attempt: null }
}

/** The filter that finds the rows of a cause among those that `filter` finds. */
export function within(filter: DeliveryFilter, cause: CauseKey): DeliveryFilter {
  return { ...filter, ...narrowing(cause) }
}
