/** How errors of an attempt begin (`shared/http/reasons.py`), and the word for it in a list. */
const WORDS: [RegExp, string][] = [
  [/^no answer (?:within|in time)/u, 'timeout'],
  [/^no connection(?:: )?/u, 'no connection'],
  [/^the connection was reset/u, 'reset'],
  [/^(?:no TLS: |the certificate is not valid: )/u, 'TLS'],
]

export interface AnswerWords {
  /** The status code, or in a word why there is none. */
  word: string
  /** What else there is to say of it. */
  rest: string
}

/** What a sink answered to the last attempt, or why it did not; both empty before there was one. */
export function answerOf(statusCode: number | null | undefined, error: string | null | undefined): AnswerWords {
  if (statusCode != null) return { word: String(statusCode), rest: error ?? '' }
  if (!error) return { word: '', rest: '' }
  const [begin, word] = WORDS.find(([pattern]) => pattern.test(error)) ?? []
  if (!begin || !word) return { word: 'not sent', rest: error }
  // A limit that ran out is said whole: the word does not tell how long it was.
  return { word, rest: word === 'timeout' ? error : error.replace(begin, '') }
}
