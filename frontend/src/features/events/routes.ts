import type { RouteRecordRaw } from 'vue-router'

export const events: RouteRecordRaw[] = [
  { path: 'events', name: 'events', component: () => import('./pages/EventsPage.vue'), meta: { title: 'Events' } },
  { path: 'events/:uid', name: 'event', component: () => import('./pages/EventPage.vue'), meta: { title: 'Event', place: 'events' } },
]
