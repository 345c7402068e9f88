import type { RouteRecordRaw } from 'vue-router'

export const live: RouteRecordRaw[] = [{ path: 'live', name: 'live', component: () => import('./pages/LivePage.vue'), meta: { title: 'Live' } }]
