import { describe, expect, it } from 'vitest'

import { amount, deliveredShare, percent, rate, rateText } from './rate'

describe('rates', () => {
  it('are said in the unit that suits them', () => {
    expect(rateText(36.44)).toBe('36.4/s')
    expect(rateText(1234.5)).toBe('1,235/s')
    expect(rateText(0.71)).toBe('42.6/min')
    expect(rateText(0.0008)).toBe('2.9/h')
    expect(rate(0)).toEqual({ value: '0', unit: '/s' })
  })
})

describe('shares', () => {
  it('say 100.00 of all alone', () => {
    expect(percent(deliveredShare({ delivered: 5, dead: 0 }) ?? 0)).toBe('100.00')
    expect(percent(deliveredShare({ delivered: 999_999, dead: 1 }) ?? 0)).toBe('99.99')
    expect(deliveredShare({ delivered: 0, dead: 0 })).toBeNull()
  })
})

it('a length is a number and a unit', () => {
  expect(amount('5:08 min')).toEqual({ value: '5:08', unit: 'min' })
})
