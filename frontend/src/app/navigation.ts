import { Braces, KeyRound, List, RadioTower, ScrollText, Send, Settings, Split, Webhook, Zap } from '@lucide/vue'
import type { Component } from 'vue'

export interface Place {
  name: string
  label: string
  icon: Component
  /** The letter after `g` that goes there. */
  key: string
  /** It has a place of its own in the bar of a narrow screen. */
  first?: true
}

export interface Section {
  label: string
  places: Place[]
}

/** Only pages that exist. */
export const sections: Section[] = [
  {
    label: 'Observe',
    places: [
      { name: 'start', label: 'Start', icon: Zap, key: 'h', first: true },
      { name: 'events', label: 'Events', icon: List, key: 'e', first: true },
    ],
  },
  {
    label: 'Intake',
    places: [
      { name: 'sources', label: 'Sources', icon: Webhook, key: 'w' },
      { name: 'producers', label: 'Producers', icon: RadioTower, key: 'p' },
      { name: 'types', label: 'Types', icon: Braces, key: 't' },
    ],
  },
  {
    label: 'Deliver',
    places: [
      { name: 'subscriptions', label: 'Subscriptions', icon: Split, key: 's', first: true },
      { name: 'deliveries', label: 'Deliveries', icon: Send, key: 'd', first: true },
    ],
  },
  {
    label: 'Project',
    places: [
      { name: 'keys', label: 'API keys', icon: KeyRound, key: 'a' },
      { name: 'audit', label: 'Audit', icon: ScrollText, key: 'u' },
      { name: 'settings', label: 'Settings', icon: Settings, key: ',' },
    ],
  },
]

export const places = sections.flatMap((section) => section.places)
