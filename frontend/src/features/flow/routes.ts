import type { RouteRecordRaw } from 'vue-router'

export const flow: RouteRecordRaw[] = [{ path: 'flow', name: 'flow', component: () => import('./pages/FlowPage.vue'), meta: { title: 'Flow' } }]
