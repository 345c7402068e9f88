import { count } from './text'

export interface Amount {
  value: string
  unit: string
}

function figure(n: number): string {
  return n >= 1000 ? count(Math.round(n)) : n.toFixed(1)
}

/** A rate in the unit in which it is easily said: `36.4` `/s`, `42.6` `/min`, `3.0` `/h`. */
export function rate(perSecond: number): Amount {
  if (perSecond >= 0.95) return { value: figure(perSecond), unit: '/s' }
  if (perSecond * 60 >= 0.095) return { value: figure(perSecond * 60), unit: '/min' }
  if (perSecond > 0) return { value: figure(perSecond * 3600), unit: '/h' }
  return { value: '0', unit: '/s' }
}

/** `36.4/s`. */
export function rateText(perSecond: number): string {
  const { value, unit } = rate(perSecond)
  return value + unit
}

/** How much of what ended was delivered, in percent; null when nothing ended. */
export function deliveredShare({ delivered, dead }: { delivered: number; dead: number }): number | null {
  return delivered + dead ? (delivered / (delivered + dead)) * 100 : null
}

/** `99.64`: rounded down where something is missing, so that 100.00 means all. */
export function percent(share: number): string {
  return share >= 100 ? '100.00' : (Math.floor(share * 100) / 100).toFixed(2)
}

/** A length in milliseconds as a number and its unit: `184` `ms`, `5:08` `min`. */
export function amount(text: string): Amount {
  const [value = '', unit = ''] = text.split(' ')
  return { value, unit }
}
