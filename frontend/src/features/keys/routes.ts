import type { RouteRecordRaw } from 'vue-router'

export const keys: RouteRecordRaw[] = [
  { path: 'keys', redirect: (to) => ({ name: 'keys', params: to.params, query: to.query }) },
  { path: 'settings/keys', name: 'keys', component: () => import('./pages/KeysPage.vue'), meta: { title: 'API keys', place: 'settings' } },
]
