import { describe, expect, it } from 'vitest'

import { instantOf, offsetMs, readWall, wallTime, zoneName } from './zone'

const at = Date.parse('2026-11-23T14:32:03.207Z')
const HOUR = 3_600_000

describe('a zone', () => {
  it('is some hours ahead of UTC, by the season', () => {
    expect(offsetMs(at, 'UTC')).toBe(0)
    expect(offsetMs(at, 'Europe/Berlin')).toBe(HOUR)
    expect(offsetMs(Date.parse('2026-07-01T00:00:00Z'), 'Europe/Berlin')).toBe(2 * HOUR)
    expect(offsetMs(at, 'America/St_Johns')).toBe(-3.5 * HOUR)
  })

  it('changes at the instant at which its clocks do', () => {
    const change = Date.parse('2026-10-25T01:00:00Z')
    expect(offsetMs(change - 1, 'Europe/Berlin')).toBe(2 * HOUR)
    expect(offsetMs(change, 'Europe/Berlin')).toBe(HOUR)
  })

  it('is named by its distance', () => {
    expect(['UTC', 'Europe/Berlin', 'America/St_Johns', 'Asia/Kathmandu', 'Europe/London'].map((zone) => zoneName(at, zone))).toEqual(['UTC', 'UTC+1', 'UTC-3:30', 'UTC+5:45', 'UTC'])
  })

  it('shows times and reads them back', () => {
    expect(wallTime(at, 'Europe/Berlin')).toBe('2026-11-23T15:32:03')
    for (const zone of ['UTC', 'Europe/Berlin', 'America/St_Johns', 'Pacific/Auckland']) {
      expect(instantOf(wallTime(at, zone), zone)).toBe(Math.floor(at / 1000) * 1000)
    }
    expect(instantOf('2026-11-23T15:32', 'Europe/Berlin')).toBe(Date.parse('2026-11-23T14:32:00Z'))
    expect(instantOf('yesterday', 'UTC')).toBeNaN()
  })

  it('reads hours that come twice and hours that do not come', () => {
    expect(new Date(instantOf('2026-10-25T02:30', 'Europe/Berlin')).toISOString()).toBe('2026-10-25T00:30:00.000Z')
    expect(new Date(instantOf('2026-10-25T03:30', 'Europe/Berlin')).toISOString()).toBe('2026-10-25T02:30:00.000Z')
    expect(wallTime(instantOf('2026-03-29T02:30', 'Europe/Berlin'), 'Europe/Berlin')).toBe('2026-03-29T03:30:00')
    expect(new Date(instantOf('2026-03-29T04:00', 'Europe/Berlin')).toISOString()).toBe('2026-03-29T02:00:00.000Z')
  })

  it('is typed in several ways', () => {
    const read = (text: string) => readWall(text, 'Europe/Berlin', at)
    expect(['2026-11-23 15:32:03', ' 2026-11-23T15:32', '15:32', '9:05', '2026-11-23'].map((text) => new Date(read(text)).toISOString().slice(0, 19))).toEqual([
      '2026-11-23T14:32:03', '2026-11-23T14:32:00', '2026-11-23T14:32:00', '2026-11-23T08:05:00', '2026-11-22T23:00:00',
    ])
    expect(['', 'soon', '25:99', '2026-13-01'].map(read)).toEqual([Number.NaN, Number.NaN, Number.NaN, Number.NaN])
  })
})
