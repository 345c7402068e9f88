import { reactive } from 'vue'

import { toApiError } from '@/lib/problem'

export interface Toast {
  id: number
  kind: 'done' | 'failed'
  text: string
}

export const toasts = reactive<Toast[]>([])
let last = 0

export function dismiss(id: number): void {
  const at = toasts.findIndex((toast) => toast.id === id)
  if (at >= 0) toasts.splice(at, 1)
}

function show(kind: Toast['kind'], text: string, ms: number): void {
  last += 1
  const id = last
  toasts.push({ id, kind, text })
  if (toasts.length > 3) toasts.shift()
  window.setTimeout(() => {
    dismiss(id)
  }, ms)
}

export function say(text: string): void {
  show('done', text, 4000)
}

export function sayFailed(what: string, error: unknown): void {
  show('failed', `${what}: ${toApiError(error).message}`, 9000)
}
