import { expect, it } from 'vitest'

import { refusal } from './provider'

it.each([
  ['access_denied', 'You did not let Example ID sign you in, or may not come in by it.'],
  ['login_required', 'Example ID wants to ask you something first. Begin again.'],
  ['server_error', 'Example ID cannot sign anybody in at the moment. Try again in a while.'],
  ['invalid_scope', 'Example ID did not sign you in (invalid_scope). Whoever runs this Weir can find out why.'],
])('%s in words', (error, words) => {
  expect(refusal(error, 'Example ID')).toBe(words)
})

it('what somebody wrote into the address is not repeated', () => {
  expect(refusal('CALL 0800-1234, https://evil.example', 'Example ID')).toBe('Example ID did not sign you in. Whoever runs this Weir can find out why.')
})
