import type { RouteLocationRaw } from 'vue-router'

import { clock } from '@/lib/time'

import type { EntryRow } from './queries'

/** What a kind is called where its own word would not do. */
const NOUNS: Record<string, string> = { key: 'API key', sink: '', password: '', session: '', passkey: 'passkey', totp: 'authenticator app' }

/** What is said of an action where its own words would not do; `of` says that the thing's name follows. */
const SAID: Record<string, { text: string; of: boolean }> = {
  'session.started': { text: 'signed in', of: false },
  'session.ended': { text: 'ended a session of', of: true },
  'session.refused': { text: 'could not sign in as', of: true },
  'password.changed': { text: 'changed the password of', of: true },
  'password.set': { text: 'set the password of', of: true },
  'member.let_in': { text: 'made a link to sign in for', of: true },
  'member.left': { text: 'left the project', of: false },
  'sink.changed': { text: 'told how to answer to', of: true },
}

/** `changed subscription`, `created API key`: what stands between who and what. */
export function phrase(action: string): { text: string; of: boolean } {
  const said = SAID[action]
  if (said) return said
  const [kind = '', done = ''] = action.split('.')
  const noun = NOUNS[kind] ?? words(kind)
  return { text: [words(done), noun].filter(Boolean).join(' '), of: true }
}

/** An action as a choice in a list: `subscription changed`. */
export function actionLabel(action: string): string {
  const [kind = '', done = ''] = action.split('.')
  return `${kindLabel(kind)} ${words(done)}`
}

export function kindLabel(kind: string): string {
  return NOUNS[kind] || words(kind)
}

function words(name: string): string {
  return name.replaceAll('_', ' ').replace(/([a-z])([A-Z])/g, (_, a: string, b: string) => `${a} ${b.toLowerCase()}`)
}

export function actorName({ actor }: Pick<EntryRow, 'actor'>): string {
  return actor.name || (actor.kind === 'nobody' ? 'Somebody' : (actor.id ?? actor.kind))
}

/** The first letters of up to two words; a dash for what is nobody. */
export function initials({ actor }: Pick<EntryRow, 'actor'>): string {
  if (actor.kind === 'weir' || actor.kind === 'nobody') return '–'
  const parts = actor.name.split(/[\s@._-]+/).filter(Boolean)
  const letters = parts.length > 1 ? parts.slice(0, 2).map((part) => part[0] ?? '') : [...(parts[0] ?? '')].slice(0, 2)
  return letters.join('').toUpperCase() || '–'
}

/** By what it was done, short: `console`, `key ci-deploys`, `weir 0.1.0`. */
export function viaText({ via, agent, actor }: Pick<EntryRow, 'via' | 'agent' | 'actor'>): string {
  if (via === 'key') return `key ${actor.name}`
  if (via === 'command') return `weir ${/^weir-cli\/(\S+)/.exec(agent ?? '')?.[1] ?? 'command'}`
  return { console: 'console', api: 'API', operator: agent ?? 'command line', weir: 'Weir' }[via]
}

/** Where it came from, in full. */
export function whereText(row: Pick<EntryRow, 'via' | 'agent' | 'actor' | 'address'>): string {
  const by = viaText(row) + (row.via === 'console' ? ', session' : row.via === 'command' && row.actor.kind === 'key' ? `, key ${row.actor.name}` : '')
  return row.address ? `${by} from ${row.address}` : by
}

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December']

/** `Monday 23 November 2026`, in UTC. */
export function dayTitle(at: string): string {
  const d = new Date(at)
  return `${DAYS[d.getUTCDay()] ?? ''} ${String(d.getUTCDate())} ${MONTHS[d.getUTCMonth()] ?? ''} ${String(d.getUTCFullYear())}`
}

export type Line = { day: string; row?: undefined } | { day?: undefined; row: EntryRow }

/** The rows with a line before the first of each day. */
export function byDay(rows: EntryRow[]): Line[] {
  const lines: Line[] = []
  let last = ''
  for (const row of rows) {
    const title = dayTitle(row.at)
    if (title !== last) lines.push({ day: title })
    last = title
    lines.push({ row })
  }
  return lines
}

export function timeText(at: string): string {
  return clock(at).time
}

/** The page of the thing, where there is one; what was deleted has none any more. */
export function pageOf(row: Pick<EntryRow, 'action' | 'thing'>, project: string, known: (name: string) => boolean): RouteLocationRaw | null {
  const { kind, id, name } = row.thing
  const place = { subscription: 'subscription', producer: 'producer', source: 'source', type: 'type', key: 'keys', settings: 'settings', member: 'members', role: 'roles', sink: 'start' }[kind]
  if (!place || !known(place) || row.action.endsWith('.deleted')) return null
  const named: Record<string, Record<string, string>> = { subscription: { id: id ?? '' }, producer: { name }, source: { name }, type: { type: name } }
  return { name: place, params: { project, ...named[kind] } }
}
