import type { RouteRecordRaw } from 'vue-router'

export const data: RouteRecordRaw[] = [
  { path: 'settings/data', name: 'data', component: () => import('./pages/DataPage.vue'), meta: { title: 'Data', place: 'settings' } },
]
