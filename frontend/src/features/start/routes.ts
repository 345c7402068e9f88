import type { RouteRecordRaw } from 'vue-router'

export const start: RouteRecordRaw[] = [
  { path: 'start', name: 'start', component: () => import('./pages/StartPage.vue'), meta: { title: 'Start' } },
]
