import type { RouteRecordRaw } from 'vue-router'

export const members: RouteRecordRaw[] = [
  { path: 'settings/members', name: 'members', component: () => import('./pages/MembersPage.vue'), meta: { title: 'Members', place: 'settings' } },
]
