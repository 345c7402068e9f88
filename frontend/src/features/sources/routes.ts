import type { RouteRecordRaw } from 'vue-router'

export const sources: RouteRecordRaw[] = [
  { path: 'sources', name: 'sources', component: () => import('./pages/SourcesPage.vue'), meta: { title: 'Sources' } },
  { path: 'new-source', name: 'source-new', component: () => import('./pages/NewSourcePage.vue'), meta: { title: 'New source', place: 'sources' } },
  { path: 'sources/:name', name: 'source', component: () => import('./pages/SourcePage.vue'), meta: { title: 'Source', place: 'sources' } },
]
