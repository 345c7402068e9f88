const LEAST_MS = 40
const SHARE = 0.2
const SLICE_MS = 8

/**
 * When what has come is shown: at once where nothing came for a while, then at most every 40 ms, and less often where
 * showing takes long, so that no more than a fifth of the time goes to it.
 */
export class Pace {
  private cost = 0
  private shownAt = Number.NEGATIVE_INFINITY

  /** In how many milliseconds to show, from `now` on. */
  wait(now: number): number {
    return Math.max(0, this.shownAt + Math.max(LEAST_MS, this.cost / SHARE) - now)
  }

  /** It was shown, from `began` to `now`. */
  took(began: number, now: number): void {
    this.cost = this.cost ? 0.7 * this.cost + 0.3 * (now - began) : now - began
    this.shownAt = now
  }
}

/** Gives others a turn where the work of one has gone on for 8 ms: what comes may be much, after a reconnect. */
export function slices(): () => Promise<void> | undefined {
  let began = performance.now()
  return () => {
    if (performance.now() - began < SLICE_MS) return
    return new Promise((resolve) => {
      const { port1, port2 } = new MessageChannel()
      port1.onmessage = () => {
        port1.close()
        began = performance.now()
        resolve()
      }
      port2.postMessage(null)
    })
  }
}
