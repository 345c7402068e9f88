import type { RouteRecordRaw } from 'vue-router'

import { knowMethods } from '@/features/signin/methods'

export const invitations: RouteRecordRaw[] = [
  { path: '/invitation', name: 'invitation', component: () => import('./pages/InvitationPage.vue'), beforeEnter: knowMethods, meta: { public: true, title: 'Invitation' } },
]
