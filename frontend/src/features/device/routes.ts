import type { RouteRecordRaw } from 'vue-router'

export const device: RouteRecordRaw[] = [{ path: '/device', name: 'device', component: () => import('./pages/DevicePage.vue'), meta: { title: 'Sign in on a device' } }]
