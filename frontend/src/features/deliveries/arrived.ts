import { timeOf } from '@/lib/text'

interface Row {
  id: string
  event: string
}

/** How far back a list is looked at again, in rows: what is new in a state can be of an older event. */
const DEEP = 400

/**
 * From when on it is looked whether there is something new: from the last of the first rows; of a search that looks
 * through every delivery from the newest alone. Undefined where that is all of the list's own range.
 */
export function polledFrom(rows: Row[], more: boolean, searches: boolean): string | undefined {
  const row = searches ? rows[0] : rows.length > DEEP ? rows[DEEP - 1] : more ? rows.at(-1) : undefined
  return row && new Date(timeOf(row.event)).toISOString()
}

/** How many of the rows that were found stand in a list that is shown, and are not in it yet. */
export function arrivedIn(found: Row[], rows: Row[], more: boolean): number {
  const shown = new Set(rows.map(({ id }) => id))
  const last = more ? (rows.at(-1)?.id ?? '') : ''
  return found.filter(({ id }) => !shown.has(id) && id > last).length
}
