import { sinkNames, splitType } from '@/lib/text'

import type { Flow } from './queries'

/** The four columns, in their order. */
export const COLUMNS = ['producer', 'type', 'subscription', 'sink'] as const

export interface Tally {
  /** Events in the first two columns, deliveries in the others. */
  count: number
  attempts: number
  failedAttempts: number
  retrying: number
  dead: number
}

export interface FlowNode extends Tally {
  /** As the address has it: `sink:https://crm.example/hook`. */
  key: string
  column: number
  /** The larger of what comes in and what goes out. */
  weight: number
  name: string
  /** In full. */
  title: string
  /** What the API calls it; null for all others together. */
  id: string | null
  p95Ms: number | null
  circuit: string | null
  state: string | null
}

export interface FlowEdge extends Tally {
  from: string
  to: string
  /** Which gap between columns it bridges: 0, 1 or 2. */
  stage: number
}

export interface Graph {
  columns: FlowNode[][]
  edges: FlowEdge[]
}

type Path = Flow['paths'][number]

const nothing = (): Tally => ({ count: 0, attempts: 0, failedAttempts: 0, retrying: 0, dead: 0 })

function deliveries({ pending, retrying, delivered, dead, cancelled }: Omit<Path, 'producer' | 'type' | 'subscription' | 'sink'>): number {
  return pending + retrying + delivered + dead + cancelled
}

function add(to: Tally, path: Path): void {
  to.count += deliveries(path)
  to.attempts += path.attempts
  to.failedAttempts += path.failedAttempts
  to.retrying += path.retrying
  to.dead += path.dead
}

const keyOf = (column: number, id: string | null) => `${COLUMNS[column] ?? ''}:${id ?? '*'}`

function nodesOf(flow: Flow): FlowNode[][] {
  const bare = { weight: 0, p95Ms: null, circuit: null, state: null }
  const others = 'all others'
  const sinks = sinkNames(flow.sinks.map(({ sink }) => sink ?? ''))
  return [
    flow.producers.map(({ id, name, events }) => ({ ...nothing(), ...bare, count: events, key: keyOf(0, id), column: 0, id, name: id === null ? others : name, title: id ?? others })),
    flow.types.map(({ type, events }) => ({ ...nothing(), ...bare, count: events, key: keyOf(1, type), column: 1, id: type, name: type === null ? others : splitType(type)[1], title: type ?? others })),
    flow.subscriptions.map((node) => ({ ...nothing(), ...bare, ...tally(node), key: keyOf(2, node.id), column: 2, id: node.id, name: node.id === null ? others : node.name, title: node.id === null ? others : node.name, p95Ms: node.p95Ms, circuit: node.circuit, state: node.state })),
    flow.sinks.map((node, at) => ({ ...nothing(), ...bare, ...tally(node), key: keyOf(3, node.sink), column: 3, id: node.sink, name: node.sink === null ? others : (sinks[at] ?? node.sink), title: node.sink ?? others, p95Ms: node.p95Ms, circuit: node.circuit })),
  ]
}

function tally(node: Flow['sinks'][number] | Flow['subscriptions'][number]): Tally {
  const { attempts, failedAttempts, retrying, dead } = node
  return { count: deliveries(node), attempts, failedAttempts, retrying, dead }
}

/** What flows between the columns: of all paths, or of those that lead through the node `focus` alone. */
function edgesOf(flow: Flow, columns: FlowNode[][], focus: string | null): Map<string, FlowEdge> {
  const edges = new Map<string, FlowEdge>()
  const node = (column: number, at: number) => columns[column]?.[at]
  const through = focus === null ? flow.paths : flow.paths.filter((path) => placesOf(path).some((at, column) => node(column, at)?.key === focus))
  function edge(stage: number, from: number, to: number): FlowEdge | null {
    const [a, b] = [node(stage, from), node(stage + 1, to)]
    if (!a || !b) return null
    const key = `${a.key}\n${b.key}`
    const found = edges.get(key) ?? { ...nothing(), from: a.key, to: b.key, stage }
    edges.set(key, found)
    return found
  }
  const ways = new Set(through.map(({ producer, type }) => `${String(producer)} ${String(type)}`))
  for (const { producer, type, events } of flow.produced) {
    const own = focus === null || [node(0, producer)?.key, node(1, type)?.key].includes(focus)
    if (!own && !ways.has(`${String(producer)} ${String(type)}`)) continue
    const found = edge(0, producer, type)
    if (found) found.count += events
  }
  for (const path of through) {
    const [, type, subscription, sink] = placesOf(path)
    for (const found of [edge(1, type, subscription), edge(2, subscription, sink)]) if (found) add(found, path)
  }
  return edges
}

function placesOf({ producer, type, subscription, sink }: Path): [number, number, number, number] {
  return [producer, type, subscription, sink]
}

/** Nodes and edges of a flow. */
export function graphOf(flow: Flow): Graph {
  const columns = nodesOf(flow)
  const edges = [...edgesOf(flow, columns, null).values()]
  const into = new Map<string, number>()
  const out = new Map<string, number>()
  for (const { from, to, count } of edges) {
    out.set(from, (out.get(from) ?? 0) + count)
    into.set(to, (into.get(to) ?? 0) + count)
  }
  for (const node of columns.flat()) node.weight = Math.max(into.get(node.key) ?? 0, out.get(node.key) ?? 0, node.count)
  return { columns, edges }
}

export interface Focus {
  node: FlowNode
  /** The part of each edge that belongs to it, by `FROM\nTO`. */
  edges: Map<string, FlowEdge>
  nodes: Set<string>
  /** How many nodes of each column it leads through. */
  reached: number[]
  /** What becomes of its deliveries. */
  ends: Tally
}

/** What leads through one node; null for a key that is in no column. */
export function focusOn(flow: Flow, graph: Graph, key: string): Focus | null {
  const node = graph.columns.flat().find((one) => one.key === key)
  if (!node) return null
  const edges = edgesOf(flow, graph.columns, key)
  const nodes = new Set([key, ...[...edges.values()].flatMap(({ from, to }) => [from, to])])
  const ends = nothing()
  for (const edge of edges.values()) {
    if (edge.stage !== 2) continue
    for (const name of Object.keys(ends) as (keyof Tally)[]) ends[name] += edge[name]
  }
  return { node, edges, nodes, reached: graph.columns.map((column) => column.filter((one) => nodes.has(one.key)).length), ends }
}

/** How many of the attempts failed, from 0 to 1. */
export function failing({ attempts, failedAttempts }: Pick<Tally, 'attempts' | 'failedAttempts'>): number {
  return attempts ? failedAttempts / attempts : 0
}
