import type { RouteRecordRaw } from 'vue-router'

export const signin: RouteRecordRaw[] = [
  { path: '/sign-in', name: 'signin', component: () => import('./pages/SignInPage.vue'), meta: { public: true, title: 'Sign in' } },
  { path: '/sign-in/link', name: 'signin-link', component: () => import('./pages/LinkPage.vue'), meta: { public: true, title: 'Sign in' } },
]
