import { describe, expect, it } from 'vitest'

import { failing, focusOn, graphOf } from './graph'
import { layOut, LEAST_WIDTH, NODE_WIDTH } from './layout'
import type { Flow } from './queries'

const counts = { pending: 0, retrying: 0, delivered: 0, dead: 0, cancelled: 0, attempts: 0, failedAttempts: 0 }
const flow: Flow = {
  since: '2026-11-23T13:32:00Z',
  until: '2026-11-23T14:32:00Z',
  seconds: 3600,
  countedAt: '2026-11-23T14:32:00Z',
  behindMinutes: 0,
  producers: [
    { id: 'source:shop', name: 'shop', events: 100 },
    { id: 'key:k', name: 'wms', events: 50 },
  ],
  types: [
    { type: 'com.acme.order.created', events: 100 },
    { type: 'com.acme.shipment', events: 45 },
    { type: 'ping', events: 5 },
  ],
  subscriptions: [
    { ...counts, id: 'a', name: 'all', state: 'active', circuit: 'closed', p95Ms: 10, delivered: 145, attempts: 145 },
    { ...counts, id: 'b', name: 'crm', state: 'active', circuit: 'open', p95Ms: 5000, delivered: 40, dead: 60, attempts: 160, failedAttempts: 120 },
  ],
  sinks: [
    { ...counts, sink: 'https://all.test/', circuit: 'closed', p95Ms: 10, delivered: 145, attempts: 145 },
    { ...counts, sink: 'https://crm.test/hook', circuit: 'open', p95Ms: 5000, delivered: 40, dead: 60, attempts: 160, failedAttempts: 120 },
  ],
  produced: [
    { producer: 0, type: 0, events: 100 },
    { producer: 1, type: 1, events: 45 },
    { producer: 1, type: 2, events: 5 },
  ],
  paths: [
    { ...counts, producer: 0, type: 0, subscription: 0, sink: 0, delivered: 100, attempts: 100 },
    { ...counts, producer: 1, type: 1, subscription: 0, sink: 0, delivered: 45, attempts: 45 },
    { ...counts, producer: 0, type: 0, subscription: 1, sink: 1, delivered: 40, dead: 60, attempts: 160, failedAttempts: 120 },
  ],
}

describe('the graph', () => {
  const graph = graphOf(flow)
  it('has an edge for each pair that something flows between', () => {
    expect(graph.edges.map(({ from, to, count }) => [from, to, count])).toEqual([
      ['producer:source:shop', 'type:com.acme.order.created', 100],
      ['producer:key:k', 'type:com.acme.shipment', 45],
      ['producer:key:k', 'type:ping', 5],
      ['type:com.acme.order.created', 'subscription:a', 100],
      ['subscription:a', 'sink:https://all.test/', 145],
      ['type:com.acme.shipment', 'subscription:a', 45],
      ['type:com.acme.order.created', 'subscription:b', 100],
      ['subscription:b', 'sink:https://crm.test/hook', 100],
    ])
  })
  it('weighs a node by the larger of what comes in and what goes out', () => {
    expect(graph.columns[1]?.map(({ weight }) => weight)).toEqual([200, 45, 5])
  })
  it('focuses on what leads through one node alone', () => {
    const focus = focusOn(flow, graph, 'subscription:b')
    expect([...(focus?.nodes ?? [])].sort()).toEqual(['producer:source:shop', 'sink:https://crm.test/hook', 'subscription:b', 'type:com.acme.order.created'])
    expect(focus?.reached).toEqual([1, 1, 1, 1])
    expect(failing(focus?.ends ?? { attempts: 0, failedAttempts: 0 })).toBe(0.75)
    expect([...(focusOn(flow, graph, 'producer:key:k')?.nodes ?? [])]).toContain('type:ping')
    expect(focusOn(flow, graph, 'sink:gone')).toBeNull()
  })
})

describe('the drawing', () => {
  const { boxes, ribbons, height, scale, xs } = layOut(graphOf(flow), 1232, 720)
  it('has the columns of the picture, and one scale', () => {
    expect(xs).toEqual([16, 352, 688, 1024])
    expect(height).toBe(720)
    for (const { node, height: high } of boxes) expect(high).toBeCloseTo(Math.max(30, node.weight * scale), 0)
  })
  it('lets no two nodes of a column overlap, and all fit', () => {
    for (const x of xs) {
      const column = boxes.filter((box) => box.x === x)
      column.slice(1).forEach((box, at) => expect(box.y).toBeGreaterThanOrEqual((column[at]?.y ?? 0) + (column[at]?.height ?? 0)))
      const last = column.at(-1)
      expect((last?.y ?? 0) + (last?.height ?? 0)).toBeLessThanOrEqual(720)
    }
  })
  it('draws what fails in proportion', () => {
    const red = ribbons.find(({ edge }) => edge.from === 'subscription:b')
    expect(red?.failing?.width).toBeCloseTo(100 * scale * 0.75, 5)
    expect(ribbons.filter(({ failing: part }) => part)).toHaveLength(1)
  })
  it('keeps very many thin ribbons to the height of their node', () => {
    const types = Array.from({ length: 40 }, (_, at) => ({ type: `type-${String(at)}`, events: at ? 1 : 9_000 }))
    const produced = types.map(({ events }, type) => ({ producer: 0, type, events }))
    const many = layOut(graphOf({ ...flow, producers: [{ id: 'key:k', name: 'k', events: 9_039 }], types, subscriptions: [], sinks: [], produced, paths: [] }), 1232, 720)
    const box = many.boxes.find(({ node }) => node.key === 'producer:key:k')
    const starts = many.ribbons.map(({ path }) => Number(/^M\S+ ([\d.]+)C/.exec(path)?.[1]))
    expect(starts).not.toHaveLength(0)
    expect(Math.max(...starts)).toBeLessThanOrEqual((box?.y ?? 0) + (box?.height ?? 0))
  })
  it('is wide enough to tell columns apart on a narrow screen', () => {
    const narrow = layOut(graphOf(flow), 390, 600)
    expect(narrow.xs.at(-1)).toBe(LEAST_WIDTH - 16 - NODE_WIDTH)
  })
})
