export interface Fault {
  pointer: string
  detail: string
}

/** A failed call. `status` is 0 when no answer came. */
export class ApiError extends Error {
  readonly status: number
  readonly title: string
  readonly faults: Fault[]
  /** The end of the problem's `type`: which page of docs/problems tells of it. */
  readonly kind: string

  constructor(status: number, title: string, detail: string, faults: Fault[] = [], kind = '') {
    super(detail)
    this.name = 'ApiError'
    this.status = status
    this.title = title
    this.faults = faults
    this.kind = kind
  }
}

/** Any failure of the generated client as an `ApiError`; the body is an RFC 9457 problem where the server wrote it. */
export function toApiError(error: unknown, response?: Response): ApiError {
  if (error instanceof ApiError) return error
  if (!response) return new ApiError(0, 'No connection', 'Weir did not answer. It is tried again on its own.')
  const body = (typeof error === 'object' && error !== null ? error : {}) as Partial<{ type: string; title: string; detail: string; errors: Fault[] }>
  return new ApiError(response.status, body.title ?? 'Not done', body.detail ?? `Weir answered ${String(response.status)} and did not say why. If it stays so, whoever runs it finds more in its log.`, body.errors ?? [], body.type?.split('/').pop() ?? '')
}

/** What was said of the member at `pointer`, or of what is below it, which then stands in front. */
export function faultAt(faults: Fault[], pointer: string): string | undefined {
  const fault = faults.find((one) => one.pointer === pointer || one.pointer.startsWith(`${pointer}/`))
  return fault && `${fault.pointer.slice(pointer.length)} ${fault.detail}`.trim()
}

/** The faults of which no field of a form speaks, as one text. */
export function unplaced(faults: Fault[], pointers: string[]): string {
  const spoken = ({ pointer }: Fault) => pointers.some((known) => pointer === known || pointer.startsWith(`${known}/`))
  return faults.filter((fault) => !spoken(fault)).map(({ pointer, detail }) => `${pointer} ${detail}`.trim()).join('; ')
}
