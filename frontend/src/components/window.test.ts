import { expect, it } from 'vitest'

import { scrollFor, windowOf } from './window'

it('draws what is seen and some beyond', () => {
  expect(windowOf(0, 640, 32, 100_000)).toEqual({ first: 0, end: 26 })
  expect(windowOf(3_200, 640, 32, 100_000)).toEqual({ first: 94, end: 126 })
  expect(windowOf(16, 640, 32, 10)).toEqual({ first: 0, end: 10 })
  expect(windowOf(99_999 * 32, 640, 32, 100_000)).toEqual({ first: 99_993, end: 100_000 })
  // Fewer rows than it was scrolled for: a filter has taken some away.
  expect(windowOf(3_200, 640, 32, 3)).toEqual({ first: 0, end: 3 })
})

it('scrolls no further than a row needs', () => {
  expect(scrollFor(10, 0, 640, 32)).toBeNull()
  expect(scrollFor(20, 0, 640, 32)).toBe(32)
  expect(scrollFor(3, 320, 640, 32)).toBe(96)
  expect(scrollFor(0, 320, 640, 32)).toBe(0)
})
