import { computed } from 'vue'
import { useRoute, useRouter } from 'vue-router'

export type Dialect = 'sql' | 'cel'

export const DEFAULT_RATE = 25
export const COLUMNS = [
  { id: 'source', label: 'Source' },
  { id: 'subject', label: 'Subject' },
  { id: 'outcome', label: 'Outcome' },
  { id: 'data', label: 'Data' },
] as const
export type ColumnId = (typeof COLUMNS)[number]['id']

/** What is watched and how it is shown, all of it in the address. */
export function useLiveFilter() {
  const route = useRoute()
  const router = useRouter()
  const get = (name: string) => {
    const value = route.query[name]
    return typeof value === 'string' ? value : ''
  }
  const dialect = computed<Dialect>(() => ('cel' in route.query ? 'cel' : 'sql'))
  const text = computed(() => get(dialect.value))
  const rate = computed(() => {
    const asked = Number.parseInt(get('rate'), 10)
    return asked >= 1 && asked <= 1000 ? asked : DEFAULT_RATE
  })
  const hidden = computed(() => new Set(get('hide').split(',')))
  const selected = computed(() => get('event'))

  function set(changes: Record<string, string | null>): void {
    const query = { ...route.query }
    for (const [name, value] of Object.entries(changes)) {
      if (value === null) Reflect.deleteProperty(query, name)
      else query[name] = value
    }
    void router.replace({ query })
  }
  function watchFor(next: Dialect, typed: string): void {
    set({ sql: null, cel: null, [next]: typed || (next === 'cel' ? '' : null) })
  }
  function toggle(id: ColumnId): void {
    const next = new Set(COLUMNS.map((column) => column.id).filter((one) => (one === id) !== hidden.value.has(one)))
    set({ hide: [...next].join(',') || null })
  }
  /** What the server is asked for. */
  const query = computed(() => {
    const asked = new URLSearchParams({ ratePerSecond: String(rate.value), dataMaxBytes: '4096' })
    if (text.value.trim()) asked.set(dialect.value, text.value)
    return asked.toString()
  })
  return { dialect, text, rate, hidden, selected, query, set, watchFor, toggle }
}
