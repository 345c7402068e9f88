import { describe, expect, it } from 'vitest'

import { timeAxis } from './axis'

describe('timeAxis', () => {
  it('is linear for short spans', () => {
    const axis = timeAxis(84)
    expect(axis.break).toBeNull()
    expect(axis.place(0)).toBe(0)
    expect(axis.place(axis.end / 2)).toBeCloseTo(0.5)
    expect(axis.ticks[0]?.label).toBe('0')
  })

  it('has a break between milliseconds and seconds', () => {
    const axis = timeAxis(36_200)
    expect(axis.break).toBeGreaterThan(axis.place(300))
    expect(axis.break).toBeLessThan(axis.place(301))
    expect(axis.place(150)).toBeCloseTo(axis.place(300) / 2)
    expect(axis.ticks.map((tick) => tick.label)).toEqual(['0', '100', '200 ms', '10 s', '20 s', '30 s'])
  })

  it('never runs backwards and never leaves the width', () => {
    for (const span of [0, 3, 299, 300, 301, 1500, 40_000, 86_400_000 * 3]) {
      const axis = timeAxis(span)
      let last = -1
      for (let ms = 0; ms <= span; ms += Math.max(1, span / 97)) {
        const x = axis.place(ms)
        expect(x).toBeGreaterThanOrEqual(last)
        last = x
      }
      expect(axis.place(span)).toBeLessThanOrEqual(1)
      expect(axis.place(span * 10)).toBeLessThanOrEqual(1)
    }
  })

  it('counts long spans in hours and days', () => {
    expect(timeAxis(6 * 3_600_000).ticks.at(-1)?.label).toMatch(/ h$/)
    expect(timeAxis(4 * 86_400_000).ticks.at(-1)?.label).toMatch(/ d$/)
  })
})
