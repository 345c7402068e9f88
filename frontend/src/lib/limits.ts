import { count } from './text'

/** A number as it was typed, null for nothing; what is no number goes to the API as it is, which says what is wrong. */
export function typedNumber(text: string): number | null {
  const trimmed = text.trim()
  if (trimmed === '') return null
  return (Number.isNaN(Number(trimmed)) ? trimmed : Number(trimmed)) as number
}

/** The lines of a text that say something; commas part as well. */
export function typedList(text: string): string[] {
  return text.split(/[\n,]+/).map((line) => line.trim()).filter(Boolean)
}

/** `100/s, 500 at once`; empty without a limit. */
export function limitText(ratePerSecond?: number | null, burst?: number | null): string {
  if (ratePerSecond == null) return ''
  return `${count(ratePerSecond)}/s${burst == null ? '' : `, ${count(burst)} at once`}`
}
