import { KeyRound, List, Send, Split, Zap } from '@lucide/vue'
import type { Component } from 'vue'

export interface Place {
  name: string
  label: string
  icon: Component
  /** The letter after `g` that goes there. */
  key: string
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
      { name: 'start', label: 'Start', icon: Zap, key: 'h' },
      { name: 'events', label: 'Events', icon: List, key: 'e' },
    ],
  },
  { label: 'Deliver', places: [{ name: 'deliveries', label: 'Deliveries', icon: Send, key: 'd' }] },
  { label: 'Configure', places: [{ name: 'subscriptions', label: 'Subscriptions', icon: Split, key: 's' }] },
  { label: 'Project', places: [{ name: 'keys', label: 'API keys', icon: KeyRound, key: 'a' }] },
]

export const places = sections.flatMap((section) => section.places)
