import type { RouteRecordRaw } from 'vue-router'

export const sources: RouteRecordRaw[] = [
  { path: 'sources/:name?', redirect: (to) => ({ name: to.params.name ? 'source' : 'sources', params: to.params, query: to.query }) },
  { path: 'new-source', redirect: (to) => ({ name: 'source-new', params: to.params, query: to.query }) },
  { path: 'settings/sources', name: 'sources', component: () => import('./pages/SourcesPage.vue'), meta: { title: 'Webhook sources', place: 'settings' } },
  { path: 'settings/new-source', name: 'source-new', component: () => import('./pages/NewSourcePage.vue'), meta: { title: 'New source', place: 'settings' } },
  { path: 'settings/sources/:name', name: 'source', component: () => import('./pages/SourcePage.vue'), meta: { title: 'Source', place: 'settings' } },
]
