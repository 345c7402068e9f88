import { describe, expect, it } from 'vitest'

import { formatDuration, parseDuration } from './durations'
import { clock, dateTime, day, duration, minute, relative, since, waiting } from './time'

const at = '2026-11-23T14:32:03.207Z'

describe('time', () => {
  it('says a minute of a day', () => {
    expect(minute(at)).toBe('23 Nov 2026 14:32 UTC')
  })

  it('is told in UTC with its milliseconds apart', () => {
    expect(clock(at)).toEqual({ time: '14:32:03', fraction: '.207' })
    expect(clock('2026-11-23T15:32:03.207+01:00').time).toBe('14:32:03')
    expect(dateTime(at)).toBe('2026-11-23 14:32:03.207')
    expect(day(at)).toBe('23 Nov 2026')
  })

  it('gives lengths with their unit', () => {
    expect([1.6, 9, 96, 999, 5000, 12_340, 309_000, 7_500_000, 302_400_000].map(duration)).toEqual([
      '1.6 ms', '9 ms', '96 ms', '999 ms', '5.00 s', '12.3 s', '5:09 min', '2:05 h', '3.5 d',
    ])
  })

  it('says how long ago', () => {
    const now = Date.parse(at)
    expect(relative(at, now + 26_000)).toBe('26 s ago')
    expect(relative(at, now + 200)).toBe('now')
    expect(relative(at, now - 10_000)).toBe('in 10 s')
    expect(relative(at, now + 86_400_000)).toBe('1 day ago')
  })

  it('reads ranges', () => {
    const now = Date.parse(at)
    expect(since('1h', now)).toBe('2026-11-23T13:32:03.207Z')
    expect(since('2026-11-23T10:00:00Z', now)).toBe('2026-11-23T10:00:00.000Z')
    expect(since('soon', now)).toBeNull()
  })
})

describe('durations', () => {
  it.each([['PT5S', 5], ['PT0.2S', 0.2], ['PT1H30M', 5400], ['P1D', 86_400], ['PT6H', 21_600]])('reads %s', (text, seconds) => {
    expect(parseDuration(text)).toBe(seconds)
  })

  it.each(['', 'P', 'PT', '5s', 'P1M', 'PT-1S'])('refuses %j', (text) => {
    expect(parseDuration(text)).toBeNull()
  })

  it.each([[0, 'PT0S'], [0.2, 'PT0.2S'], [5, 'PT5S'], [300, 'PT5M'], [21_600, 'PT6H'], [90, 'PT90S']])('writes %d', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text)
  })

  it('says how long to wait in two units at most', () => {
    expect([0.2, 58, 60, 87, 3600, 11_100, 200_000].map(waiting)).toEqual(['1 s', '58 s', '1 min', '1 min 27 s', '1 h', '3 h 5 min', '2 days'])
  })
})
