import type { ErasureBody, WaitBody } from '@/api'
import { count, plural } from '@/lib/text'

/** What a retention of so many days means today: the day before which events go, in UTC. */
export function goesBefore(days: number, now: number): string {
  return new Date(now - days * 86_400_000).toISOString().slice(0, 10)
}

/** A sentence about what is set, as it will be once it is saved. */
export function retentionWords(retentionDays: number | null, archiveDays: number | null, now: number): string {
  if (retentionDays === null) return 'Every event stays in the database for ever: searched, shown and sent again at once.'
  const first = `Events received before ${goesBefore(retentionDays, now)} leave the database, within minutes of saving.`
  if (archiveDays === 0) return `${first} They are not archived: they are gone.`
  const then = archiveDays === null ? 'for ever' : `until they are ${plural(archiveDays, 'day')} old`
  return `${first} The archive keeps them ${then}; they can be shown and brought back.`
}

const WHY: Record<WaitBody['reason'], string> = {
  archive: 'no archive is configured here; whoever runs Weir sets WEIR_ARCHIVE_URL',
  store: 'the archive does not answer or takes nothing; it is tried again every minute',
  deliveries: 'some of their deliveries are under way',
  unread: 'dispatch has not read all of their events',
}

/** Which days are over and still in the database, and why. */
export function waits({ reason, days, oldest }: Pick<WaitBody, 'reason' | 'days' | 'oldest'>): string {
  return `${plural(days, 'day')} ${days === 1 ? 'is' : 'are'} over and still in the database, the oldest of ${oldest}: ${WHY[reason]}. Nothing is lost.`
}

/** Which events a hold or a recall means. */
export function meant(of: { type: string | null; source: string | null; subject: string | null; since: string | null; until: string | null }): string {
  const parts = [of.subject && `subject ${of.subject}`, of.type && `type ${of.type}`, of.source && `source ${of.source}`].filter(Boolean)
  const span = [of.since && `from ${short(of.since)}`, of.until && `before ${short(of.until)}`].filter(Boolean).join(' ')
  return [parts.join(', ') || 'every event', span].filter(Boolean).join(' · ')
}

function short(instant: string): string {
  const text = new Date(instant).toISOString()
  return text.endsWith('T00:00:00.000Z') ? text.slice(0, 10) : `${text.slice(0, 16).replace('T', ' ')}Z`
}

/** How much an erasure found, or would. */
export function found(events: number, archived: number): string {
  return `${count(events)} in the database, ${count(archived)} in the archive`
}

/** What an erasure leaves where it is; empty where that is nothing. */
export function leaves({ held, keptIn }: Pick<ErasureBody, 'held' | 'keptIn'>): string {
  const kept = held ? `${count(held)} ${held === 1 ? 'is' : 'are'} on hold and stay${held === 1 ? 's' : ''} until that is lifted.` : ''
  const named = keptIn.length ? `Subscriptions that name the subject go on: ${keptIn.join(', ')}.` : ''
  return [kept, named].filter(Boolean).join(' ')
}

/** A day of a date field as the instant at which it begins, in UTC; null where there is none. */
export function beginning(date: string): string | null {
  return /^\d{4}-\d\d-\d\d$/.test(date) ? `${date}T00:00:00Z` : null
}
