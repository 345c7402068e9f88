import type { RouteRecordRaw } from 'vue-router'

const edit = () => import('./pages/EditPage.vue')

export const subscriptions: RouteRecordRaw[] = [
  { path: 'subscriptions', name: 'subscriptions', component: () => import('./pages/ListPage.vue'), meta: { title: 'Subscriptions' } },
  { path: 'subscriptions/new', name: 'subscription-new', component: edit, meta: { title: 'New subscription', place: 'subscriptions' } },
  { path: 'subscriptions/:id', name: 'subscription', component: edit, meta: { title: 'Subscription', place: 'subscriptions' } },
]
