import { Braces, KeyRound, RadioTower, Settings, Split, Webhook } from '@lucide/vue'

import { places, settingsPlaces } from '@/app/navigation'
import { healthWords, isUnwell } from '@/lib/health'
import { sinkName } from '@/lib/text'
import { relative } from '@/lib/time'

import type { Hit } from './hits'
import type { Named } from './queries'

/** The pages that who is signed in may see. */
export function pageHits(project: string, permissions: string[]): Hit[] {
  const to = (name: string) => ({ name, params: { project } })
  return [
    ...places.map(({ name, label, icon, key }): Hit => ({ id: `page ${name}`, icon, label, note: `page, g ${key}`, to: to(name) })),
    ...settingsPlaces
      .filter(({ name, permission }) => name !== 'settings' && permissions.includes(permission))
      .map(({ name, label }): Hit => ({ id: `page ${name}`, icon: Settings, label, note: 'settings', to: to(name) })),
  ]
}

/** Everything that has a name, with how it stands. */
export function thingHits(project: string, named: Named, now: number): Hit[] {
  const subscriptions = named.subscriptions.value?.items.map((one): Hit => {
    const health = isUnwell(one.sinkHealth) ? healthWords(one.sinkHealth, now) : null
    const badge = one.state === 'paused' ? { glyph: 'paused' as const, text: 'Paused' } : one.state === 'disabled' ? { glyph: 'cancelled' as const, text: 'Disabled' } : health && { glyph: health.glyph, text: health.word }
    return {
      id: `subscription ${one.id}`,
      icon: Split,
      label: one.name,
      note: `subscription to ${sinkName(one.sink)}`,
      more: `${one.sink} ${one.id}`,
      to: { name: 'subscription', params: { project, id: one.id } },
      ...(badge ? { badge } : {}),
    }
  })
  const types = named.types.value?.items.map(({ type, description }): Hit => ({ id: `type ${type}`, icon: Braces, label: type, note: 'type', more: description ?? '', to: { name: 'type', params: { project, type } } }))
  const producers = named.producers.value?.items.map(({ name }): Hit => ({ id: `producer ${name}`, icon: RadioTower, label: name, note: 'producer', to: { name: 'producer', params: { project, name } } }))
  const sources = named.sources.value?.items.map(({ name, kind }): Hit => ({ id: `source ${name}`, icon: Webhook, label: name, note: `webhook source, ${kind}`, to: { name: 'source', params: { project, name } } }))
  const keys = named.keys.value?.items.map((key): Hit => ({
    id: `key ${key.id}`,
    icon: KeyRound,
    label: key.name,
    note: `API key, ${key.lastUsedAt ? `used ${relative(key.lastUsedAt, now)}` : 'never used'}`,
    more: key.id,
    to: { name: 'keys', params: { project }, query: { q: key.name } },
  }))
  return [subscriptions, types, producers, sources, keys].flatMap((hits) => hits ?? [])
}
