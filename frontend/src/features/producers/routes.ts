import type { RouteRecordRaw } from 'vue-router'

const page = () => import('./pages/ProducerPage.vue')

export const producers: RouteRecordRaw[] = [
  { path: 'producers', name: 'producers', component: () => import('./pages/ProducersPage.vue'), meta: { title: 'Producers' } },
  { path: 'new-producer', name: 'producer-new', component: page, meta: { title: 'New producer', place: 'producers' } },
  { path: 'producers/:name', name: 'producer', component: page, meta: { title: 'Producer', place: 'producers' } },
]
