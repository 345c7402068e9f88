import { succeeded } from '@/lib/status'
import { hasPointer, readPointer, writePointer } from '@/lib/pointers'

import type { EventDelivery } from './delivery'

/** A place in an event's data that a sink complained of. */
export interface Named {
  pointer: string
  delivery: EventDelivery
  statusCode: number | null
  detail: string
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The complaints in a body such as RFC 9457's `errors: [{"pointer", "detail"}]`. */
function complaints(body: unknown): { pointer: string; detail: string }[] {
  if (!isObject(body)) return []
  const listed = [body.errors, body.violations, body.details].find(Array.isArray) ?? [body]
  return listed.flatMap((one: unknown) => {
    if (!isObject(one)) return []
    const pointer = one.pointer ?? one.instancePath
    const detail = one.detail ?? one.message ?? one.title ?? body.detail ?? body.title
    return typeof pointer === 'string' ? [{ pointer, detail: typeof detail === 'string' ? detail : '' }] : []
  })
}

/** What the last answers of sinks say of places that are in the payload: a JSON pointer into the data or the event. */
export function namedInResponses(deliveries: EventDelivery[], payload: string | undefined): Named[] {
  const document = payload === undefined ? undefined : parsed(payload)
  if (!isObject(document)) return []
  return deliveries.flatMap((delivery) => {
    const last = delivery.attempts.at(-1)
    if (!last?.response || succeeded(last.statusCode)) return []
    return complaints(parsed(last.response.body)).flatMap(({ pointer, detail }) => {
      const parts = readPointer(pointer)
      if (!parts?.length) return []
      const place = [parts, ...(parts[0] === 'data' ? [parts.slice(1)] : [])].find((one) => one.length && hasPointer(document, one))
      return place ? [{ pointer: writePointer(place), delivery, statusCode: last.statusCode, detail }] : []
    })
  })
}
