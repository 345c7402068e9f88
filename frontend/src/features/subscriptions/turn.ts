import { ref, type Ref } from 'vue'

import { say, sayFailed } from '@/app/toasts'

import { bodyOf, draftOf } from './draft'
import { useSave, type Subscription } from './queries'

/** Pauses a subscription, or makes it active again. `busy` is the id of the one that is being changed. */
export function useTurn(project: Ref<string>) {
  const save = useSave(project)
  const busy = ref('')
  async function turn(subscription: Subscription): Promise<void> {
    const state = subscription.state === 'active' ? 'paused' : 'active'
    busy.value = subscription.id
    try {
      await save.mutateAsync({ id: subscription.id, body: { ...bodyOf(draftOf(subscription)), state } })
      say(state === 'paused' ? `Paused ${subscription.name}: what matches waits` : `${subscription.name} is active`)
    } catch (failure) {
      sayFailed('Not changed', failure)
    }
    busy.value = ''
  }
  return { turn, busy }
}
