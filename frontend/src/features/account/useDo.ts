import { CalledOff } from '@/app/proof'
import { say, sayFailed } from '@/app/toasts'

/** Does something and says that it is done, or what was wrong; nothing when the proof that it asks for was called off. */
export async function doIt<T>(act: () => Promise<T>, done: string): Promise<T | null> {
  try {
    const found = await act()
    if (done) say(done)
    return found
  } catch (error) {
    if (!(error instanceof CalledOff)) sayFailed('Not done', error)
    return null
  }
}
