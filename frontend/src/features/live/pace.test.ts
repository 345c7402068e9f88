import { describe, expect, it } from 'vitest'

import { Pace, slices } from './pace'

describe('the pace of showing', () => {
  it('shows the first at once and what follows together', () => {
    const pace = new Pace()
    expect(pace.wait(1000)).toBe(0)
    pace.took(1000, 1002)
    expect(pace.wait(1002)).toBe(40)
    expect(pace.wait(1030)).toBe(12)
    expect(pace.wait(1100)).toBe(0)
  })

  it('shows less often where showing takes long', () => {
    const pace = new Pace()
    pace.took(0, 30)
    expect(pace.wait(30)).toBe(150)
    for (let now = 1000; now < 20_000; now += 1000) pace.took(now, now + 2)
    expect(pace.wait(19_002)).toBeLessThan(41)
  })
})

describe('slices', () => {
  it('lets others have a turn when the work goes on for long', async () => {
    const breathe = slices()
    let turns = 0
    const counting = setInterval(() => turns++, 0)
    const until = performance.now() + 60
    while (performance.now() < until || !turns) await breathe()
    clearInterval(counting)
    expect(turns).toBeGreaterThan(0)
  })

  it('takes no turn for little', () => {
    expect(slices()()).toBeUndefined()
  })
})
