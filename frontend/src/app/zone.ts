import { computed, ref } from 'vue'

import { clock, dateTime } from '@/lib/time'
import { zoneName } from '@/lib/zone'

const CHOICE = 'weir.zone'

/** The zone of this browser, `UTC` where it has none. */
export const ownZone = Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC'

/** The zone in which times are shown: UTC, or the browser's for somebody who chose it. */
export const zone = ref(localStorage.getItem(CHOICE) === 'own' ? ownZone : 'UTC')

/** Shows times from now on in UTC or in the browser's zone. */
export function showTimesIn(which: 'UTC' | 'own'): void {
  if (which === 'own') localStorage.setItem(CHOICE, which)
  else localStorage.removeItem(CHOICE)
  zone.value = which === 'own' ? ownZone : 'UTC'
}

/** For a column of times: `UTC`, `UTC+1`. */
export const zoneLabel = computed(() => zoneName(Date.now(), zone.value))

/** Time of day in the zone that was chosen. */
export function shownClock(instant: string | number) {
  return clock(instant, zone.value)
}

/** `2026-11-23 15:32:03.207 UTC+1`, in the zone that was chosen. */
export function shownTime(instant: string | number): string {
  return `${dateTime(instant, zone.value)} ${zoneName(new Date(instant).getTime(), zone.value)}`
}
