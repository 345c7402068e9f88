import { createRouter, createWebHistory, type LocationQuery, type RouteLocationNormalized } from 'vue-router'

import { account } from '@/features/account/routes'
import { audit } from '@/features/audit/routes'
import { data } from '@/features/data/routes'
import { deliveries } from '@/features/deliveries/routes'
import { device } from '@/features/device/routes'
import { events } from '@/features/events/routes'
import { flow } from '@/features/flow/routes'
import { invitations } from '@/features/invitations/routes'
import { keys } from '@/features/keys/routes'
import { live } from '@/features/live/routes'
import { members } from '@/features/members/routes'
import { overview } from '@/features/overview/routes'
import { producers } from '@/features/producers/routes'
import { replays } from '@/features/replays/routes'
import { roles } from '@/features/roles/routes'
import { settings } from '@/features/settings/routes'
import { signin } from '@/features/signin/routes'
import { sources } from '@/features/sources/routes'
import { start } from '@/features/start/routes'
import { subscriptions } from '@/features/subscriptions/routes'
import { types } from '@/features/types/routes'

import { meQuery, queryClient } from './queries'
import { onExpired, resume } from './session'

const LAST = 'weir.project'

/** A page in the project last looked at, as long as one may, else in the first. */
async function home(name: string, query: LocationQuery) {
  const { projects } = await queryClient.ensureQueryData(meQuery)
  const last = localStorage.getItem(LAST)
  const project = projects.find(({ name }) => name === last) ?? projects[0]
  return project ? { name, params: { project: project.name }, query } : { name: 'none' }
}

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: '/', name: 'home', component: () => import('./HomePage.vue') },
    // An address for mails and other pages, which know no project.
    { path: '/account', name: 'own-account', component: () => import('./HomePage.vue') },
    ...signin,
    ...invitations,
    ...device,
    {
      path: '/p/:project',
      component: () => import('./Frame.vue'),
      redirect: { name: 'start' },
      children: [...start, ...overview, ...flow, ...events, ...live, ...deliveries, ...replays, ...sources, ...producers, ...types, ...subscriptions, ...audit, ...settings, ...members, ...roles, ...keys, ...data, ...account],
    },
    { path: '/none', name: 'none', component: () => import('./NoProject.vue') },
    { path: '/:rest(.*)*', name: 'lost', component: () => import('./NotFound.vue'), meta: { public: true, title: 'Not found' } },
    // Reached by its name alone: the one above takes every address.
    { path: '/:rest(.*)*', name: 'away', component: () => import('./AwayPage.vue'), meta: { public: true, title: 'No connection' } },
  ],
  scrollBehavior: () => ({ top: 0 }),
})

router.beforeEach(async (to) => {
  if (to.meta.public) return true
  const presence = await resume()
  if (presence === 'away') return { name: 'away', params: { rest: to.path.slice(1).split('/') }, query: to.query, hash: to.hash, replace: true }
  if (presence === 'out') return { name: 'signin', query: to.fullPath === '/' ? {} : { to: to.fullPath } }
  if (to.name === 'home') return home('start', {}).catch(() => true)
  if (to.name === 'own-account') return home('account', to.query).catch(() => true)
  return true
})

router.afterEach((to: RouteLocationNormalized) => {
  const project = to.params.project
  if (typeof project === 'string') localStorage.setItem(LAST, project)
  const title = typeof to.meta.title === 'string' ? to.meta.title : ''
  document.title = [title, typeof project === 'string' ? project : '', 'Weir'].filter(Boolean).join(' · ')
})

onExpired(() => {
  const { fullPath, meta } = router.currentRoute.value
  if (!meta.public) void router.push({ name: 'signin', query: { to: fullPath } })
})
