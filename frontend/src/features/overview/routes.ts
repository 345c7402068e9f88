import type { RouteRecordRaw } from 'vue-router'

export const overview: RouteRecordRaw[] = [{ path: 'overview', name: 'overview', component: () => import('./pages/OverviewPage.vue'), meta: { title: 'Overview' } }]
