import { ref } from 'vue'

/** Whether the command palette is open. */
export const paletteOpen = ref(false)

/** Whether the list of keys is open. */
export const keysOpen = ref(false)
