import { expect, it } from 'vitest'
import { ref } from 'vue'

import { useBrush } from './brush'
import type { Bar } from './histogram'

const bars = ref<Bar[]>(Array.from({ length: 10 }, (_, i) => ({ since: i * 60, until: (i + 1) * 60, left: i / 10, width: 0.1, parts: [], counted: true })))

it('spans whole bars, in either direction', () => {
  const brush = useBrush(bars)
  expect(brush.span.value).toBeNull()
  brush.start(brush.barAt(0.55))
  brush.reach(brush.barAt(0.21))
  expect(brush.span.value).toMatchObject({ since: 120, until: 360, first: 2, last: 5, left: 0.2 })
  brush.clear()
  expect(brush.span.value).toBeNull()
})

it('moves its edges and keeps them in order', () => {
  const brush = useBrush(bars)
  brush.start(4)
  brush.nudge('last', 3)
  brush.nudge('first', -1)
  expect(brush.span.value).toMatchObject({ first: 3, last: 7 })
  brush.nudge('first', 99)
  expect(brush.span.value).toMatchObject({ first: 7, last: 7 })
  brush.nudge('last', 99)
  expect(brush.span.value).toMatchObject({ first: 7, last: 9 })
  brush.grab('first')
  brush.reach(0)
  expect(brush.span.value).toMatchObject({ first: 0, last: 9 })
})
