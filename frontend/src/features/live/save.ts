import { say } from '@/app/toasts'
import { plural } from '@/lib/text'

import { SECONDS, type Line } from './buffer'

/** Save what was shown of the last two minutes as NDJSON, as the stream had it. */
export function saveLines(lines: Line[], project: string): void {
  const from = Date.now() - SECONDS * 1000
  const events = lines.flatMap((line) => (line.is === 'event' && line.ms >= from ? [line.raw.replaceAll('\n', ' ')] : []))
  if (!events.length) {
    say('Nothing came in the last two minutes')
    return
  }
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([events.join('\n') + '\n'], { type: 'application/x-ndjson' }))
  link.download = `live-${project}-${new Date().toISOString().slice(0, 19).replaceAll(':', '')}.ndjson`
  link.click()
  URL.revokeObjectURL(link.href)
  say(`Saved ${plural(events.length, 'event')}`)
}
