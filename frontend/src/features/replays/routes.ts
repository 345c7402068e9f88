import type { RouteRecordRaw } from 'vue-router'

export const replays: RouteRecordRaw[] = [
  { path: 'replays', name: 'replays', component: () => import('./pages/ReplaysPage.vue'), meta: { title: 'Replays' } },
  { path: 'replays/:id', name: 'replay', component: () => import('./pages/ReplayPage.vue'), meta: { title: 'Replay', place: 'replays' } },
]
