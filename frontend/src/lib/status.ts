export type Status = 'pending' | 'retrying' | 'delivered' | 'dead' | 'cancelled'
export type Glyph = Status | 'failed' | 'flight' | 'none' | 'paused' | 'error'

/** What a state is called on screen. */
export const STATUS_WORDS: Record<Status, string> = {
  pending: 'Pending',
  retrying: 'Retrying',
  delivered: 'Delivered',
  dead: 'Dead letter',
  cancelled: 'Cancelled',
}

/** Whether an attempt was answered with a 2xx. */
export function succeeded(statusCode: number | null | undefined): boolean {
  return statusCode != null && statusCode >= 200 && statusCode < 300
}

/** Whether a delivery may still change on its own. */
export function isOpen(status: Status): boolean {
  return status === 'pending' || status === 'retrying'
}
