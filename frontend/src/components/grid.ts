export interface GridColumn {
  id: string
  label: string
  /** Pixels, or a track of a CSS grid such as `minmax(0, 1.2fr)`. */
  size: number | string
  align?: 'right'
  /** The label is read out but not shown. */
  quiet?: boolean
}
