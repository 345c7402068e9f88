import { ref } from 'vue'

type Theme = 'light' | 'dark'

const CHOICE = 'weir.theme'
const system = window.matchMedia('(prefers-color-scheme: dark)')

function chosen(): Theme | null {
  const value = localStorage.getItem(CHOICE)
  return value === 'light' || value === 'dark' ? value : null
}

export const theme = ref<Theme>(chosen() ?? (system.matches ? 'dark' : 'light'))

function show(next: Theme): void {
  theme.value = next
  document.documentElement.dataset.theme = next
}

system.addEventListener('change', () => {
  if (!chosen()) show(system.matches ? 'dark' : 'light')
})

/** The other theme. Choosing what the system has means to follow the system again. */
export function toggleTheme(): void {
  const next: Theme = theme.value === 'dark' ? 'light' : 'dark'
  if ((next === 'dark') === system.matches) localStorage.removeItem(CHOICE)
  else localStorage.setItem(CHOICE, next)
  show(next)
}
