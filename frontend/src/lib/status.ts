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

/** What the usual status codes are called in RFC 9110 and those that register more: HTTP/2 sends no words. */
const REASONS: Record<number, string> = {
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  204: 'No Content',
  301: 'Moved Permanently',
  302: 'Found',
  307: 'Temporary Redirect',
  308: 'Permanent Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  410: 'Gone',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
}

/** `503 Service Unavailable`; `No answer` without a status code. */
export function answerWords(statusCode: number | null | undefined): string {
  if (statusCode == null) return 'No answer'
  return [String(statusCode), REASONS[statusCode] ?? ''].join(' ').trim()
}
