import type { RouteRecordRaw } from 'vue-router'

export const audit: RouteRecordRaw[] = [{ path: 'audit', name: 'audit', component: () => import('./pages/AuditPage.vue'), meta: { title: 'Audit' } }]
