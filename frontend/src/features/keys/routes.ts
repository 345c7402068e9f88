import type { RouteRecordRaw } from 'vue-router'

export const keys: RouteRecordRaw[] = [
  { path: 'keys', name: 'keys', component: () => import('./pages/KeysPage.vue'), meta: { title: 'API keys' } },
]
