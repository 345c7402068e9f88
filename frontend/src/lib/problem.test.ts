import { expect, it } from 'vitest'

import { faultAt, unplaced } from './problem'

const faults = [
  { pointer: '/types/1', detail: 'is too long' },
  { pointer: '/oidc/issuer', detail: 'must be https' },
  { pointer: '', detail: 'must be an object' },
]

it('finds what was said of a field, and what was said of none', () => {
  expect(faultAt(faults, '/types')).toBe('/1 is too long')
  expect(faultAt(faults, '/oidc/issuer')).toBe('must be https')
  expect(faultAt(faults, '/type')).toBeUndefined()
  expect(unplaced(faults, ['/types', '/oidc'])).toBe('must be an object')
})
