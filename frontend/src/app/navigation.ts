import { Braces, History, LayoutDashboard, List, Radio, RadioTower, ScrollText, Send, Settings, Split, Waypoints, Zap } from '@lucide/vue'
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
      { name: 'overview', label: 'Overview', icon: LayoutDashboard, key: 'o' },
      { name: 'flow', label: 'Flow', icon: Waypoints, key: 'f' },
      { name: 'events', label: 'Events', icon: List, key: 'e', first: true },
      { name: 'live', label: 'Live', icon: Radio, key: 'l' },
    ],
  },
  {
    label: 'Intake',
    places: [
      { name: 'producers', label: 'Producers', icon: RadioTower, key: 'p' },
      { name: 'types', label: 'Types', icon: Braces, key: 't' },
    ],
  },
  {
    label: 'Deliver',
    places: [
      { name: 'subscriptions', label: 'Subscriptions', icon: Split, key: 's', first: true },
      { name: 'deliveries', label: 'Deliveries', icon: Send, key: 'd', first: true },
      { name: 'replays', label: 'Replays', icon: History, key: 'y' },
    ],
  },
  {
    label: 'Project',
    places: [
      { name: 'audit', label: 'Audit', icon: ScrollText, key: 'u' },
      { name: 'settings', label: 'Settings', icon: Settings, key: ',' },
    ],
  },
]

export const places = sections.flatMap((section) => section.places)

export interface SettingsPlace {
  name: string
  label: string
  /** Who may not do this has no such page. */
  permission: string
  /** The letter after `g` that goes there. */
  key?: string
}

/** The pages below Settings, in their order. */
export const settingsPlaces: SettingsPlace[] = [
  { name: 'settings', label: 'General', permission: 'projects:read' },
  { name: 'members', label: 'Members', permission: 'members:read', key: 'm' },
  { name: 'roles', label: 'Roles', permission: 'members:read', key: 'r' },
  { name: 'keys', label: 'API keys', permission: 'keys:read', key: 'a' },
  { name: 'sources', label: 'Webhook sources', permission: 'sources:read', key: 'w' },
  { name: 'data', label: 'Data', permission: 'projects:read' },
]
