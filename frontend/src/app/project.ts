import { computed, type ComputedRef } from 'vue'
import { useRoute, useRouter } from 'vue-router'

/** The project that the address names. */
export function useProject(): ComputedRef<string> {
  const route = useRoute()
  return computed(() => String(route.params.project))
}

/** New values of members of the query string; nothing takes one out of it. */
export type QueryChange = Record<string, string | string[] | null>

/** Reads and writes single members of the query string; an empty value is left out of it. */
export function useQueryState() {
  const route = useRoute()
  const router = useRouter()
  function get(name: string): string {
    const value = route.query[name]
    return typeof value === 'string' ? value : ''
  }
  /** The values of a member that may be there several times. */
  function all(name: string): string[] {
    const value = route.query[name] ?? []
    return (Array.isArray(value) ? value : [value]).filter((one): one is string => typeof one === 'string' && one !== '')
  }
  function set(values: QueryChange, how: 'push' | 'replace' = 'push'): void {
    const query = { ...route.query }
    for (const [name, value] of Object.entries(values)) {
      if (value?.length) query[name] = value
      else Reflect.deleteProperty(query, name)
    }
    void router[how]({ query })
  }
  return { get, all, set }
}
