import type { RouteRecordRaw } from 'vue-router'

const page = () => import('./pages/TypePage.vue')

export const types: RouteRecordRaw[] = [
  { path: 'types', name: 'types', component: () => import('./pages/TypesPage.vue'), meta: { title: 'Types' } },
  { path: 'new-type', name: 'type-new', component: page, meta: { title: 'New type', place: 'types' } },
  { path: 'types/:type', name: 'type', component: page, meta: { title: 'Type', place: 'types' } },
]
