import { onBeforeUnmount, onMounted } from 'vue'

/** The key that is held for what works everywhere, as it is written on this machine. */
export const modifier = /Mac|iP(hone|ad)/.test(navigator.userAgent) ? '⌘' : 'Ctrl'

export type Shortcuts = Record<string, (event: KeyboardEvent) => void>

function typing(target: EventTarget | null): boolean {
  // A check wants no letters.
  if (target instanceof HTMLInputElement && target.type === 'checkbox') return false
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
}

/** Single-key shortcuts while a component is on screen; never inside inputs, dialogs and menus. */
export function useShortcuts(shortcuts: Shortcuts): void {
  function handle(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey || typing(event.target)) return
    if (document.querySelector('[role=dialog], [role=menu]')) return
    // Enter on a link or a button is that control's own, and so is the space bar, which also turns a check.
    if ([' ', 'Enter'].includes(event.key) && event.target instanceof HTMLElement && event.target.closest('a, button')) return
    if (event.key === ' ' && event.target instanceof HTMLInputElement) return
    const action = shortcuts[event.key]
    if (!action) return
    event.preventDefault()
    action(event)
  }
  onMounted(() => {
    document.addEventListener('keydown', handle)
  })
  onBeforeUnmount(() => {
    document.removeEventListener('keydown', handle)
  })
}

/** Something that a letter with the modifier does, inside fields as well. */
export function useModified(letter: string, action: () => void): void {
  function handle(event: KeyboardEvent): void {
    if (event.key.toLowerCase() !== letter || !(event.metaKey || event.ctrlKey) || event.altKey || event.shiftKey) return
    event.preventDefault()
    action()
  }
  onMounted(() => {
    document.addEventListener('keydown', handle)
  })
  onBeforeUnmount(() => {
    document.removeEventListener('keydown', handle)
  })
}

/** Two-key shortcuts: `g`, then within a second a letter. */
export function useSequences(first: string, second: Shortcuts): void {
  let pressed = 0
  const wrap = Object.fromEntries(
    Object.entries(second).map(([key, action]) => [
      key,
      (event: KeyboardEvent) => {
        if (performance.now() - pressed < 1000) action(event)
        pressed = 0
      },
    ]),
  )
  useShortcuts({
    [first]: () => {
      pressed = performance.now()
    },
    ...wrap,
  })
}
