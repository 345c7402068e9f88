import { expect, it } from 'vitest'

import { linePath } from './sparkline'

it('a line runs between its least and its greatest value, and has gaps', () => {
  expect(linePath([0, 10, 5], 60, 20)).toBe('M0 18.5L30 1.5L60 10')
  expect(linePath([1, null, 1, 1], 60, 20)).toBe('M0 18.5M40 18.5L60 18.5')
  expect(linePath([3], 60, 20)).toBe('')
})
