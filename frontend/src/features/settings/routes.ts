import type { RouteRecordRaw } from 'vue-router'

export const settings: RouteRecordRaw[] = [
  { path: 'settings', redirect: { name: 'settings' } },
  { path: 'settings/general', name: 'settings', component: () => import('./pages/SettingsPage.vue'), meta: { title: 'Settings' } },
]
