import { expect, test } from 'vitest'

import { answerOf } from './answer'

test('an answer is its code, and no answer says in a word why', () => {
  expect(answerOf(503, 'upstream pool exhausted')).toEqual({ word: '503', rest: 'upstream pool exhausted' })
  expect(answerOf(null, 'no answer within 5 s')).toEqual({ word: 'timeout', rest: 'no answer within 5 s' })
  expect(answerOf(null, 'no connection: Connection refused')).toEqual({ word: 'no connection', rest: 'Connection refused' })
  expect(answerOf(null, 'the connection was reset')).toEqual({ word: 'reset', rest: '' })
  expect(answerOf(null, 'the certificate is not valid: certificate has expired')).toEqual({ word: 'TLS', rest: 'certificate has expired' })
  expect(answerOf(null, 'the request cannot be sent: too long')).toEqual({ word: 'not sent', rest: 'the request cannot be sent: too long' })
  expect(answerOf(null, null)).toEqual({ word: '', rest: '' })
})
