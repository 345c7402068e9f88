import { describe, expect, it } from 'vitest'

import { rangeName, spanOf, spanWords, wider } from './range'

const now = Date.parse('2026-11-23T14:32:03.207Z')
const words = (since: string, until = '', zone = 'UTC') => spanWords(spanOf({ since, until }, now), now, zone)

describe('a range of time', () => {
  it('means instants', () => {
    expect(spanOf({ since: '1h', until: '' }, now)).toEqual({ since: '2026-11-23T13:32:03.207Z', until: '' })
    expect(spanOf({ since: 'any', until: '' }, now)).toEqual({ since: '', until: '' })
    expect(spanOf({ since: 'nonsense', until: '2026-11-23T14:00:00Z' }, now)).toEqual({ since: '', until: '2026-11-23T14:00:00.000Z' })
  })

  it('has a name', () => {
    expect(['1h', '7d', '90m', '1d', 'any', ''].map((since) => rangeName({ since, until: '' }))).toEqual(['Last 1 h', 'Last 7 days', 'Last 90 min', 'Last 1 day', 'Any time', 'Any time'])
    const at = '2026-11-23T14:00:00Z'
    expect([rangeName({ since: at, until: '' }), rangeName({ since: at, until: at }), rangeName({ since: 'any', until: at })]).toEqual(['Since', 'From to', 'Before'])
  })

  it('says its ends with their zone', () => {
    expect(words('1h')).toBe('13:32 – 14:32 UTC')
    expect(words('1h', '', 'Europe/Berlin')).toBe('14:32 – 15:32 UTC+1')
    expect(words('24h')).toBe('11-22 14:32 – 11-23 14:32 UTC')
    expect(words('7d')).toBe('2026-11-16 – 2026-11-23 UTC')
    expect(words('2026-11-21T10:00:00Z', '2026-11-21T10:02:30Z')).toBe('2026-11-21 10:00:00 – 10:02:30 UTC')
    expect(words('any', '2026-11-21T10:00:00Z')).toBe('2026-11-21 10:00 UTC')
    expect(words('any')).toBe('')
  })

  it('can be widened', () => {
    expect(wider({ since: '7d', until: '' }).map(({ value }) => value)).toEqual(['30d', 'any'])
    expect(wider({ since: '1h', until: '2026-11-21T10:00:00Z' }).map(({ value }) => value)).toEqual(['any'])
    expect(wider({ since: 'any', until: '' })).toEqual([])
  })
})
