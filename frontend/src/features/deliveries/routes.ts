import type { RouteRecordRaw } from 'vue-router'

export const deliveries: RouteRecordRaw[] = [
  { path: 'deliveries', name: 'deliveries', component: () => import('./pages/DeliveriesPage.vue'), meta: { title: 'Deliveries' } },
]
