import type { Mode } from './queries'

/** What becomes of an event whose data does not fit, in words. */
export const MODES: { value: Mode; label: string; says: string }[] = [
  { value: 'off', label: 'Off', says: 'Everything of this type is stored. The schema is documentation.' },
  { value: 'warn', label: 'Warn', says: 'It is stored and delivered, marked with what does not fit.' },
  { value: 'reject', label: 'Reject', says: 'The sender gets 422 with what does not fit, and nothing is stored.' },
]
