import { expect, it } from 'vitest'

import { limitText, typedList, typedNumber } from './limits'

it('says a limit in words, and nothing for none', () => {
  expect(limitText(1000, 5000)).toBe('1,000/s, 5,000 at once')
  expect(limitText(1, null)).toBe('1/s')
  expect(limitText(null, null)).toBe('')
})

it('reads numbers and lists as they were typed', () => {
  expect([typedNumber(' 12 '), typedNumber(''), typedNumber('many')]).toEqual([12, null, 'many'])
  expect(typedList(' /shop*,\n\n/a b \n')).toEqual(['/shop*', '/a b'])
})
