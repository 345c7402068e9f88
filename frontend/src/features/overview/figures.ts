import type { RouteLocationRaw } from 'vue-router'

import type { Line } from '@/components/timeChart'
import type { Glyph } from '@/lib/status'
import { amount, deliveredShare, percent, rate } from '@/lib/rate'
import { count } from '@/lib/text'
import { duration } from '@/lib/time'

import type { Overview } from './queries'

export interface Figure {
  name: string
  value: string
  unit: string
  hint: string
  glyph?: Glyph
  /** A word for the hint's colour: it says that something is wrong. */
  hintTone?: string
  trend: (number | null)[]
  tone: 'neutral' | 'accent' | 'fail' | 'retry' | 'dead'
  to: RouteLocationRaw
}

/** A point of which less than this share is over says too little to be drawn. */
const LEAST_COVERED = 0.1

type Point = Overview['points'][number]

/** What a point has by the second, minute and so on; null where it is not over yet. */
function per(seconds: number, value: (point: Point) => number, step: number) {
  return (point: Point) => (point.seconds < step * LEAST_COVERED ? null : (value(point) / point.seconds) * seconds)
}

/** The lines of the three charts. */
export function chartLines({ points, stepSeconds, failing }: Overview): { throughput: Line[]; failed: Line[]; latency: Line[] } {
  const failed = per(60, (point) => point.failedAttempts, stepSeconds)
  const of = failing ? points.map((point, at) => per(60, () => failing.failedAttempts[at] ?? 0, stepSeconds)(point)) : []
  return {
    throughput: [
      { label: 'in', values: points.map(per(1, (point) => point.events, stepSeconds)), tone: 'accent', area: true },
      { label: 'out', values: points.map(per(1, (point) => point.delivered, stepSeconds)), tone: 'neutral' },
    ],
    failed: failing
      ? [
          { label: failing.subscriptionName || 'a deleted subscription', values: of, tone: 'fail', area: true },
          { label: 'others', values: points.map((point, at) => subtract(failed(point), of[at] ?? null)), tone: 'neutral' },
        ]
      : [{ label: 'all', values: points.map(failed), tone: 'neutral' }],
    latency: [
      { label: 'p50', values: points.map(({ p50Ms }) => p50Ms), tone: 'neutral' },
      { label: 'p95', values: points.map(({ p95Ms }) => p95Ms), tone: 'strong' },
      { label: 'p99', values: points.map(({ p99Ms }) => p99Ms), tone: 'neutral', dash: true },
    ],
  }
}

function subtract(all: number | null, part: number | null): number | null {
  return all === null || part === null ? null : Math.max(all - part, 0)
}

/** The six numbers on top, each with the rows that it leads to. */
export function figuresOf(data: Overview, project: string, period: string): Figure[] {
  const { totals, before, backlog, points, seconds, stepSeconds, since, until, sinks } = data
  const rows = (name: string, query: Record<string, string> = {}): RouteLocationRaw => ({ name, params: { project }, query: { since, until, ...query } })
  const share = deliveredShare(totals)
  const shareBefore = before ? deliveredShare(before) : null
  const worst = sinks.find(({ dead }) => dead > 0)
  const incoming = rate(totals.events / seconds)
  const outgoing = rate(totals.delivered / seconds)
  const slow = totals.p95Ms === null ? null : amount(duration(totals.p95Ms))
  const age = backlog.since ? amount(duration(backlog.seconds * 1000)) : null
  let dead = 0
  return [
    { name: 'Events in', ...incoming, hint: `${count(totals.events)} ${period}`, trend: points.map(per(1, (p) => p.events, stepSeconds)), tone: 'accent', to: rows('events') },
    { name: 'Deliveries out', ...outgoing, hint: `${count(totals.delivered)} ${period}`, trend: points.map(per(1, (p) => p.delivered, stepSeconds)), tone: 'neutral', to: rows('deliveries', { status: 'delivered' }) },
    {
      name: 'Delivered',
      value: share === null ? '–' : percent(share),
      unit: share === null ? '' : '%',
      hint: share === null ? 'nothing ended yet' : shareBefore === null ? 'of what ended' : `was ${percent(shareBefore)} % before`,
      trend: points.map((point) => deliveredShare(point)),
      tone: totals.dead ? 'fail' : 'neutral',
      to: rows('deliveries'),
    },
    {
      name: 'Latency p95',
      value: slow?.value ?? '–',
      unit: slow?.unit ?? '',
      hint: slow === null ? 'nothing delivered yet' : before?.p95Ms == null ? 'receipt to delivered' : `was ${duration(before.p95Ms)}`,
      trend: points.map(({ p95Ms }) => p95Ms),
      tone: 'neutral',
      to: rows('deliveries', { status: 'delivered' }),
    },
    {
      name: 'Backlog age',
      value: age?.value ?? '0',
      unit: age?.unit ?? 's',
      hint: totals.retrying ? `${count(totals.retrying)} retrying` : totals.pending ? `${count(totals.pending)} pending` : 'nothing waits',
      glyph: totals.retrying ? 'retrying' : totals.pending ? 'pending' : undefined,
      hintTone: totals.retrying ? 'text-retry' : undefined,
      trend: points.map((point) => (point.seconds ? (point.backlogSeconds ?? 0) : null)),
      tone: age ? 'retry' : 'neutral',
      // What waits now, of whichever time.
      to: { name: 'deliveries', params: { project }, query: { since: 'any', status: totals.retrying || !totals.pending ? 'retrying' : 'pending' } },
    },
    {
      name: 'Dead letters',
      value: count(totals.dead),
      unit: '',
      hint: worst ? `${count(worst.dead)} at ${worst.subscriptionName}` : 'none',
      glyph: worst ? 'dead' : undefined,
      hintTone: worst ? 'text-dead' : undefined,
      trend: points.map((point) => (dead += point.dead)),
      tone: worst ? 'dead' : 'neutral',
      to: rows('deliveries', { status: 'dead' }),
    },
  ]
}

/** `in the last hour`, `in this range`. */
export function periodWords(since: string, until: string): string {
  const usual: Record<string, string> = { '15m': '15 min', '1h': 'hour', '6h': '6 h', '24h': '24 h', '7d': '7 days', '30d': '30 days' }
  return !until && usual[since] ? `in the last ${usual[since]}` : 'in this range'
}
