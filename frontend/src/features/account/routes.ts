import type { RouteRecordRaw } from 'vue-router'

export const account: RouteRecordRaw[] = [
  { path: 'account', name: 'account', component: () => import('./pages/AccountPage.vue'), meta: { title: 'Account' } },
]
