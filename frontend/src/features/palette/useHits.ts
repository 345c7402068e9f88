import { List, Send, Waypoints } from '@lucide/vue'
import { computed, type Ref } from 'vue'

import { useNow } from '@/app/clock'
import { modifier } from '@/app/keyboard'
import { useProject } from '@/app/project'
import { useMe, usePermissions } from '@/app/queries'
import { copyAddress } from '@/app/share'
import { useLeave } from '@/app/useLeave'
import type { Wanted } from '@/features/replays/wanted'
import type { Subscription } from '@/features/subscriptions/queries'
import { useTurn } from '@/features/subscriptions/turn'
import { STATUS_WORDS, type Status } from '@/lib/status'
import { relative } from '@/lib/time'

import { doHits, searchHits } from './actions'
import type { Group, Hit } from './hits'
import { idIn, traceIn } from './match'
import { useJump, useNamed } from './queries'
import { pageHits, thingHits } from './things'

/** Everything that the palette can offer for what was typed; `keys` shows which keys there are, `again` a dry run. */
export function useHits(typed: Ref<string>, keys: () => void, again: (wanted: Wanted) => void) {
  const project = useProject()
  const { data: me } = useMe()
  const permissions = usePermissions(() => project.value)
  const now = useNow()
  const leave = useLeave()
  const { turn } = useTurn(project)
  const named = useNamed(project, permissions)
  const id = computed(() => (permissions.value.includes('events:read') ? idIn(typed.value) : null))
  const { data: thing, isFetching: looking } = useJump(project, id)

  const jump = computed<Hit | null>(() => {
    const found = thing.value
    if (!found || !id.value) return null
    if (found.is === 'event') {
      return { id: 'jump', icon: List, label: found.type, note: `event, ${relative(found.receivedAt, now.value)}`, always: 'first', to: { name: 'event', params: { project: project.value, uid: found.uid } } }
    }
    const status = found.status as Status
    return {
      id: 'jump',
      icon: Send,
      label: found.subscription,
      note: 'delivery',
      badge: { glyph: status, text: STATUS_WORDS[status] },
      always: 'first',
      to: { name: 'event', params: { project: project.value, uid: found.event }, query: { delivery: found.id } },
    }
  })
  const trace = computed<Hit[]>(() => {
    const of = traceIn(typed.value)
    if (!of || jump.value) return []
    return [{ id: 'trace', icon: Waypoints, label: `Events of the trace ${of}`, always: 'first', to: { name: 'events', params: { project: project.value }, query: { q: of, since: '24h' } } }]
  })
  const groups = computed<Group[]>(() => {
    const subscriptions = (named.subscriptions.value?.items ?? []) as Subscription[]
    const doing = { turn, again, share: copyAddress, keys, leave }
    const projects = me.value?.projects.map(({ name }) => name) ?? []
    return [
      { label: 'Go to', hits: [...(jump.value ? [jump.value] : []), ...(typed.value ? thingHits(project.value, named, now.value) : []), ...pageHits(project.value, permissions.value)] },
      { label: 'Do', hits: doHits(project.value, projects, permissions.value, typed.value ? subscriptions : [], doing) },
      { label: 'Search', hits: [...trace.value, ...searchHits(project.value, typed.value, permissions.value, subscriptions)] },
    ]
  })
  return { groups, jump, looking, project, modifier }
}
