import type { RouteRecordRaw } from 'vue-router'

import { knowMethods } from './methods'

export const signin: RouteRecordRaw[] = [
  { path: '/sign-in', name: 'signin', component: () => import('./pages/SignInPage.vue'), beforeEnter: knowMethods, meta: { public: true, title: 'Sign in' } },
  { path: '/sign-in/forgotten', name: 'signin-forgotten', component: () => import('./pages/ForgottenPage.vue'), meta: { public: true, title: 'Forgotten' } },
  { path: '/sign-in/link', name: 'signin-link', component: () => import('./pages/LinkPage.vue'), meta: { public: true, title: 'Sign in' } },
  { path: '/sign-in/oidc', name: 'signin-provider', component: () => import('./pages/ProviderPage.vue'), meta: { public: true, title: 'Sign in' } },
  { path: '/sign-in/oidc/link', name: 'signin-link-provider', component: () => import('./pages/ProviderPage.vue'), meta: { public: true, title: 'Sign in' } },
]
