import { computed, type ComputedRef } from 'vue'
import { useRoute, useRouter } from 'vue-router'

/** The project that the address names. */
export function useProject(): ComputedRef<string> {
  const route = useRoute()
  return computed(() => String(route.params.project))
}

/** Reads and writes single members of the query string; an empty value is left out of it. */
export function useQueryState() {
  const route = useRoute()
  const router = useRouter()
  function get(name: string): string {
    const value = route.query[name]
    return typeof value === 'string' ? value : ''
  }
  function set(values: Record<string, string | null>, how: 'push' | 'replace' = 'push'): void {
    const query = { ...route.query }
    for (const [name, value] of Object.entries(values)) {
      if (value) query[name] = value
      else Reflect.deleteProperty(query, name)
    }
    void router[how]({ query })
  }
  return { get, set }
}
