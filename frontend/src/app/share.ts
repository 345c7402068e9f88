import { say, sayFailed } from './toasts'

/** Every state of a page is in its address, so the address is what is shared. */
export async function copyAddress(): Promise<void> {
  try {
    await navigator.clipboard.writeText(window.location.href)
    say('Copied the address of this view')
  } catch (error) {
    sayFailed('Not copied', error)
  }
}
