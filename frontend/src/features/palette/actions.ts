import { FolderOpen, Keyboard, LogOut, Moon, Pause, Play, Plus, Search, Send, Share2, Sun, List } from '@lucide/vue'

import { theme, toggleTheme } from '@/app/theme'
import type { Wanted } from '@/features/replays/wanted'
import type { Subscription } from '@/features/subscriptions/queries'

import type { Hit } from './hits'
import { idIn } from './match'
import { sendingHits, sendingHitsOf } from './sending'

/** What the palette can have done. */
export interface Doing {
  turn: (subscription: Subscription) => unknown
  /** Opens the dry run of what is to be sent again, or called off. */
  again: (wanted: Wanted) => unknown
  share: () => unknown
  keys: () => unknown
  leave: () => unknown
}

/** What one may do, as far as the permissions go. */
export function doHits(project: string, projects: string[], permissions: string[], subscriptions: Subscription[], doing: Doing): Hit[] {
  const may = (permission: string) => permissions.includes(permission)
  const to = (name: string, query: Record<string, string> = {}) => ({ name, params: { project }, query })
  const ofSubscriptions = subscriptions.flatMap((one): Hit[] => [
    ...sendingHitsOf(one, permissions, doing.again),
    ...(may('subscriptions:write') && one.state !== 'disabled'
      ? [{ id: `turn ${one.id}`, icon: one.state === 'active' ? Pause : Play, label: `${one.state === 'active' ? 'Pause' : 'Resume'} ${one.name}`, note: one.state === 'active' ? 'keeps what arrives' : 'sends what waits', run: () => doing.turn(one) }]
      : []),
  ])
  return [
    ...ofSubscriptions,
    ...sendingHits(permissions, doing.again),
    ...(may('subscriptions:write') ? [{ id: 'do subscribe', icon: Plus, label: 'Create subscription', to: to('subscription-new') }] : []),
    ...(may('keys:write') ? [{ id: 'do key', icon: Plus, label: 'Create API key', to: to('keys', { create: 'yes' }) }] : []),
    ...(may('events:write') ? [{ id: 'do test', icon: Send, label: 'Send a test event…', note: 'opens Start', to: to('start') }] : []),
    { id: 'do share', icon: Share2, label: 'Copy the address of this view', run: doing.share },
    { id: 'do theme', icon: theme.value === 'dark' ? Sun : Moon, label: theme.value === 'dark' ? 'Light theme' : 'Dark theme', run: toggleTheme },
    { id: 'do keys', icon: Keyboard, label: 'Show the keys', note: '?', run: doing.keys },
    ...projects.filter((name) => name !== project).map((name): Hit => ({ id: `project ${name}`, icon: FolderOpen, label: `Project ${name}`, note: 'switches to it', to: { name: 'start', params: { project: name } } })),
    { id: 'do leave', icon: LogOut, label: 'Sign out', run: doing.leave },
  ]
}

/** Where to look for what was typed, among events and deliveries. */
export function searchHits(project: string, typed: string, permissions: string[], subscriptions: Subscription[]): Hit[] {
  const text = typed.trim()
  if (!text) return []
  const to = (name: string, query: Record<string, string>) => ({ name, params: { project }, query })
  const events = permissions.includes('events:read')
  const deliveries = permissions.includes('deliveries:read')
  const byText: Hit[] = [
    { id: 'search text', icon: Search, label: `Events with “${text}” in subject or data`, note: 'in the last 24 h', always: 'last', to: to('events', { q: text, since: '24h' }) },
    { id: 'search id', icon: Search, label: `Events with the id ${text}`, always: 'last', to: to('events', { id: text, since: 'any' }) },
  ]
  return [
    ...subscriptions.flatMap((one): Hit[] => [
      ...(events && deliveries ? [{ id: `events of ${one.id}`, icon: List, label: `Events that matched ${one.name}`, to: to('events', { subscription: one.id }) }] : []),
      ...(deliveries ? [{ id: `deliveries of ${one.id}`, icon: Send, label: `Deliveries of ${one.name}`, to: to('deliveries', { subscription: one.id }) }] : []),
    ]),
    ...(events && !idIn(text) ? byText : []),
  ]
}

