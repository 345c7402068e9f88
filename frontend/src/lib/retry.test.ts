import { describe, expect, it } from 'vitest'

import { mark, rootPlace, schedule, spell } from './retry'

describe('schedule', () => {
  it('doubles, as the contract says', () => {
    const retries = schedule({ retry: 6, policy: 'exponential', delay: 5, max: 21_600 })
    expect(retries.map((r) => r.at)).toEqual([5, 15, 35, 75, 155, 315])
    expect(retries[5]?.earliest).toBe(283)
  })

  it('grows by the same step when linear, and stops at the cap', () => {
    expect(schedule({ retry: 4, policy: 'linear', delay: 10, max: 25 }).map((r) => r.at)).toEqual([10, 30, 55, 80])
  })

  it('may have no retry', () => {
    expect(schedule({ retry: 0, policy: 'linear', delay: 1, max: 1 })).toEqual([])
  })

  it('has places on a square-root axis', () => {
    expect(rootPlace(0, 100)).toBe(0)
    expect(rootPlace(25, 100)).toBe(0.5)
    expect(rootPlace(1, 0)).toBe(0)
  })

  it('writes times short', () => {
    expect([0, 0.2, 35, 75, 315, 7500, 100_000].map(mark)).toEqual(['0 s', '0.2 s', '35 s', '1:15', '5:15', '2 h 05', '1 d 3 h'])
    expect([0.2, 315, 3600, 7500, 90_000].map(spell)).toEqual(['0.2 s', '5 min 15 s', '1 h', '2 h 5 min', '1 d 1 h'])
  })
})
