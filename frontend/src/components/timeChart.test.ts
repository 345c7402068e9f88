import { describe, expect, it } from 'vitest'

import { axisText, columns, nameEdge, tickLabel } from './timeChart'

const noon = Date.parse('2026-11-23T12:00:00Z')

describe('axes', () => {
  it('say the time of day, and the day where one begins or hours do not matter', () => {
    expect(tickLabel(noon, 600, 'UTC')).toBe('12:00')
    expect(tickLabel(noon, 86_400, 'UTC')).toBe('11-23')
    expect(tickLabel(noon + 12 * 3_600_000, 3600, 'UTC')).toBe('11-24')
    expect(tickLabel(noon, 600, 'Europe/Berlin')).toBe('13:00')
  })
  it('tell small numbers apart and make large ones short', () => {
    expect([0, 0.002, 0.25, 1.5, 120, 4_500, 25_000].map(axisText)).toEqual(['0', '0.002', '0.25', '1.5', '120', '4,500', '25K'])
  })
})

it('a chart takes seconds and a column for each line', () => {
  const lines = [{ label: 'in', values: [1, null], tone: 'accent' as const }]
  expect(columns({ at: [1000, 2000], lines, marks: [] })).toEqual([
    [1, 2],
    [1, null],
  ])
})

describe("a mark's name", () => {
  it('stands after it where there is room', () => {
    expect(nameEdge([10, 20], 50, 100, 1)).toEqual({ x: 27, align: 'left' })
  })
  it('stands before it at the end, and before the marks that touch it', () => {
    expect(nameEdge([300, 390], 50, 400, 1)).toEqual({ x: 383, align: 'right' })
    expect(nameEdge([300, 370, 382, 390], 50, 400, 1)).toEqual({ x: 363, align: 'right' })
  })
})
