import type { RouteRecordRaw } from 'vue-router'

const page = () => import('./pages/RolePage.vue')

export const roles: RouteRecordRaw[] = [
  { path: 'settings/roles', name: 'roles', component: () => import('./pages/RolesPage.vue'), meta: { title: 'Roles', place: 'settings' } },
  { path: 'settings/new-role', name: 'role-new', component: page, meta: { title: 'New role', place: 'settings', below: 'roles' } },
  { path: 'settings/roles/:name', name: 'role', component: page, meta: { title: 'Role', place: 'settings', below: 'roles' } },
]
