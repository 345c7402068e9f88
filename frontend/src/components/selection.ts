import { reactive, shallowRef, computed } from 'vue'

/** Which rows of a list are checked: single ones, or all that match, also those that are not loaded. */
export interface Selection {
  /** All that match, however many are loaded. */
  readonly all: boolean
  /** The keys that are checked one by one; empty while `all`. */
  readonly keys: ReadonlySet<string>
  readonly empty: boolean
  has: (key: string) => boolean
  /** Checks or unchecks a row; with `reach`, all loaded rows from the one toggled last to this. */
  toggle: (key: string, reach?: boolean) => void
  /** What the check in the header does: all that match, or nothing. */
  toggleAll: () => void
  /** Exactly these. */
  only: (keys: Iterable<string>) => void
  clear: () => void
}

/** A selection over a list; `loaded` gives the keys of its rows in their order, as far as they are loaded. */
export function useSelection(loaded: () => string[]): Selection {
  const all = shallowRef(false)
  const keys = shallowRef<ReadonlySet<string>>(new Set())
  let last: string | null = null

  function only(next: Iterable<string>): void {
    all.value = false
    keys.value = new Set(next)
  }
  function clear(): void {
    last = null
    only([])
  }
  const has = (key: string) => all.value || keys.value.has(key)

  /** The keys between two rows, both included; only the second where the first is not loaded any more. */
  function between(from: string, to: string): string[] {
    const rows = loaded()
    const [a, b] = [rows.indexOf(from), rows.indexOf(to)]
    return a < 0 || b < 0 ? [to] : rows.slice(Math.min(a, b), Math.max(a, b) + 1)
  }
  function toggle(key: string, reach = false): void {
    const check = !has(key)
    // Out of "all that match" one row cannot be named away, so what stays is what one can see.
    const next = new Set(all.value ? loaded() : keys.value)
    const range = reach && last !== null ? between(last, key) : [key]
    for (const one of range) {
      if (check) next.add(one)
      else next.delete(one)
    }
    only(next)
    last = key
  }
  function toggleAll(): void {
    const next = !all.value
    clear()
    all.value = next
  }
  return reactive({ all, keys, empty: computed(() => !all.value && keys.value.size === 0), has, toggle, toggleAll, only, clear })
}
