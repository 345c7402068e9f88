import { reactive } from 'vue'

export interface Followed {
  project: string
  id: string
}

/** The replays that were started here and whose end nobody has seen yet; each is told of beside the toasts. */
export const followed = reactive<Followed[]>([])

/** At most so many at once: the pages of the others have the same. */
const AT_MOST = 3

export function follow(replay: Followed): void {
  unfollow(replay.id)
  followed.push(replay)
  if (followed.length > AT_MOST) followed.shift()
}

export function unfollow(id: string): void {
  const at = followed.findIndex((one) => one.id === id)
  if (at >= 0) followed.splice(at, 1)
}
