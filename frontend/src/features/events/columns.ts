/** The columns that can be left out; time and type always stay. */
export const OPTIONAL = [
  { id: 'source', label: 'Source' },
  { id: 'subject', label: 'Subject' },
  { id: 'outcome', label: 'Outcome' },
  { id: 'size', label: 'Size' },
  { id: 'latency', label: 'Latency' },
] as const

export type OptionalColumn = (typeof OPTIONAL)[number]['id']

/** Which are left out, of `source,size` in the address. */
export function hiddenColumns(text: string): OptionalColumn[] {
  const names = text.split(',')
  return OPTIONAL.map(({ id }) => id).filter((id) => names.includes(id))
}
