import { failing, type FlowEdge, type FlowNode, type Graph } from './graph'

export const NODE_WIDTH = 192
const NODE_HEIGHT = 30
const MARGIN = 16
const TOP = 18
const GAP = 20
/** As high as a node gets for its traffic: where little is going on, one way need not fill the page. */
const NODE_HEIGHT_MOST = 160
/** Below this a column would be narrower than its ribbons need to be told apart. */
export const LEAST_WIDTH = 4 * NODE_WIDTH + 3 * 64 + 2 * MARGIN
/** A ribbon thinner than this has its failing part beside it, not within. */
const THIN = 5

export interface Box {
  node: FlowNode
  x: number
  y: number
  height: number
}

export interface Ribbon {
  edge: FlowEdge
  key: string
  path: string
  /** The part of it that failed: dashed, within the ribbon or as a line of its own. */
  failing: { path: string; width: number } | null
  /** Where the part of `share` (0 to 1) of it lies. */
  part: (share: number) => string
}

export interface Drawing {
  boxes: Box[]
  ribbons: Ribbon[]
  height: number
  xs: number[]
  /** Pixels for each event or delivery. */
  scale: number
}

/** The pixels that one event gets: as many as the fullest column and the busiest node have room for, the same in every column. */
function scaleOf(columns: FlowNode[][], room: number): number {
  let low = 0
  const busiest = Math.max(...columns.flat().map(({ weight }) => weight), 1)
  let high = Math.max(...columns.map((column) => room / Math.max(sum(column.map(({ weight }) => weight)), 1)), 0)
  const fits = (scale: number) => columns.every((column) => columnHeight(column, scale) <= room)
  for (let round = 0; round < 30; round += 1) {
    const middle = (low + high) / 2
    if (fits(middle)) low = middle
    else high = middle
  }
  return Math.min(low, NODE_HEIGHT_MOST / busiest)
}

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0)
const heightOf = (node: FlowNode, scale: number) => Math.max(NODE_HEIGHT, node.weight * scale)
const columnHeight = (column: FlowNode[], scale: number) => sum(column.map((node) => heightOf(node, scale))) + GAP * Math.max(column.length - 1, 0)
const round = (n: number) => Math.round(n * 10) / 10

/** A band between two columns, as high at both ends. */
function band(x1: number, y1: number, x2: number, y2: number, height: number): string {
  const middle = round((x1 + x2) / 2)
  const [a, b, c, d] = [y1, y2, y2 + height, y1 + height].map((y) => String(round(y)))
  return `M${String(x1)} ${a ?? ''}C${String(middle)} ${a ?? ''} ${String(middle)} ${b ?? ''} ${String(x2)} ${b ?? ''}V${c ?? ''}C${String(middle)} ${c ?? ''} ${String(middle)} ${d ?? ''} ${String(x1)} ${d ?? ''}Z`
}

/** The middle line of such a band. */
function line(x1: number, y1: number, x2: number, y2: number): string {
  const middle = String(round((x1 + x2) / 2))
  return `M${String(x1)} ${String(round(y1))}C${middle} ${String(round(y1))} ${middle} ${String(round(y2))} ${String(x2)} ${String(round(y2))}`
}

/** Puts nodes and ribbons in their places. Node and ribbon have one scale, whatever the column. */
export function layOut({ columns, edges }: Graph, width: number, room: number): Drawing {
  const full = Math.max(width, LEAST_WIDTH)
  const height = Math.max(room, ...columns.map((column) => column.length * (NODE_HEIGHT + GAP) + 2 * TOP))
  const inner = height - 2 * TOP
  const scale = scaleOf(columns, inner)
  const xs = columns.map((_, at) => round(MARGIN + (at * (full - 2 * MARGIN - NODE_WIDTH)) / 3))
  const boxes = new Map<string, Box>()
  columns.forEach((column, at) => {
    const spare = inner - columnHeight(column, scale)
    const gap = GAP + Math.min(column.length > 1 ? spare / column.length : 0, 72)
    let y = TOP + Math.max((inner - (columnHeight(column, scale) + (gap - GAP) * (column.length - 1))) / 2, 0) * 0.6
    for (const node of column) {
      const box = { node, x: xs[at] ?? 0, y: round(y), height: round(heightOf(node, scale)) }
      boxes.set(node.key, box)
      y += box.height + gap
    }
  })
  return { boxes: [...boxes.values()], ribbons: ribbonsOf(edges, boxes, scale), height, xs, scale }
}

function ribbonsOf(edges: FlowEdge[], boxes: Map<string, Box>, scale: number): Ribbon[] {
  const yOf = (key: string) => boxes.get(key)?.y ?? 0
  const thick = (edge: FlowEdge) => Math.max(edge.count * scale, 1)
  const starts = stacked(edges, 'from', (edge) => yOf(edge.to), boxes, thick)
  const ends = stacked(edges, 'to', (edge) => yOf(edge.from), boxes, thick)
  return edges.flatMap((edge) => {
    const [from, to] = [boxes.get(edge.from), boxes.get(edge.to)]
    const [y1, y2] = [starts.get(edge), ends.get(edge)]
    if (!from || !to || y1 === undefined || y2 === undefined) return []
    const [x1, x2, height] = [from.x + NODE_WIDTH, to.x, thick(edge)]
    const share = edge.stage === 2 ? failing(edge) : 0
    const red = height * share
    const failed =
      share === 0
        ? null
        : height < THIN
          ? { path: line(x1, y1 + height + 1.5, x2, y2 + height + 1.5), width: 1.5 }
          : { path: line(x1, y1 + height - red / 2, x2, y2 + height - red / 2), width: Math.max(red, 1.5) }
    const ribbon: Ribbon = { edge, key: `${edge.from}\n${edge.to}`, path: band(x1, y1, x2, y2, height), failing: failed, part: (part) => band(x1, y1, x2, y2, Math.max(height * Math.min(part, 1), 1)) }
    return [ribbon]
  })
}

/** Where each edge begins at its node: one below the other, in the order of their other ends, in the node's middle. */
function stacked(edges: FlowEdge[], end: 'from' | 'to', order: (edge: FlowEdge) => number, boxes: Map<string, Box>, thick: (edge: FlowEdge) => number): Map<FlowEdge, number> {
  const found = new Map<FlowEdge, number>()
  const byNode = new Map<string, FlowEdge[]>()
  for (const edge of edges) byNode.set(edge[end], [...(byNode.get(edge[end]) ?? []), edge])
  for (const [key, own] of byNode) {
    const box = boxes.get(key)
    if (!box) continue
    const total = sum(own.map(thick))
    // Very many that are as thin as can be drawn lie over one another rather than beside the node.
    const squeeze = Math.min(box.height / total, 1)
    let y = box.y + Math.max((box.height - total) / 2, 0)
    for (const edge of [...own].sort((a, b) => order(a) - order(b))) {
      found.set(edge, y)
      y += thick(edge) * squeeze
    }
  }
  return found
}
