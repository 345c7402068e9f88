import { say } from '@/app/toasts'
import { save } from '@/lib/download'
import type { Gathered } from '@/lib/gather'
import { count } from '@/lib/text'

/** As many rows as a file is given at most. */
export const EXPORTED = 50_000

/** Has the browser save `found` as NDJSON, a line for each row, and says how many they were. */
export function saveRows<Row>({ rows, isCut }: Gathered<Row>, name: string, line: (row: Row) => unknown): void {
  save(new Blob(rows.map((row) => `${JSON.stringify(line(row))}\n`), { type: 'application/x-ndjson' }), `${name}.ndjson`)
  say(isCut ? `Exported the newest ${count(rows.length)}, there are more` : `Exported ${count(rows.length)} as NDJSON`)
}
