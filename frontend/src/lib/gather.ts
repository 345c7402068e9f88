export interface Gathered<Row> {
  rows: Row[]
  /** There are more than the limit. */
  isCut: boolean
}

/** All rows of a list, page after page as `page` gives them, up to `limit`. */
export async function gather<Row>(page: (cursor: string | undefined) => Promise<{ items: Row[]; next?: string | null }>, limit: number): Promise<Gathered<Row>> {
  const rows: Row[] = []
  let cursor: string | undefined
  do {
    const { items, next } = await page(cursor)
    rows.push(...items)
    cursor = next ?? undefined
  } while (cursor && rows.length < limit)
  return { rows: rows.slice(0, limit), isCut: cursor !== undefined || rows.length > limit }
}
