import { describe, expect, it } from 'vitest'

import { chartLines, figuresOf, periodWords } from './figures'
import type { Overview } from './queries'

const none = { pending: 0, retrying: 0, delivered: 0, dead: 0, cancelled: 0, attempts: 0, failedAttempts: 0, events: 0, p50Ms: null, p95Ms: null, p99Ms: null }
const quiet: Overview = {
  since: '2026-11-23T13:32:00Z',
  until: '2026-11-23T14:32:00Z',
  seconds: 3600,
  countedAt: '2026-11-23T14:32:00Z',
  behindMinutes: 0,
  stepSeconds: 60,
  totals: none,
  before: null,
  backlog: { since: null, seconds: 0 },
  points: [],
  failing: null,
  types: [],
  typeCount: 0,
  sinks: [],
  sinkCount: 0,
}
const busy: Overview = {
  ...quiet,
  totals: { ...none, events: 131_204, delivered: 9_964, dead: 36, retrying: 1_406, p95Ms: 184 },
  before: { ...none, events: 1, delivered: 9_998, dead: 2, p95Ms: 151 },
  backlog: { since: '2026-11-23T14:26:52Z', seconds: 308 },
  points: [
    { ...none, at: '2026-11-23T14:30:00Z', seconds: 60, events: 120, delivered: 60, failedAttempts: 10, backlogSeconds: null },
    { ...none, at: '2026-11-23T14:31:00Z', seconds: 1, events: 9, delivered: 9, failedAttempts: 9, backlogSeconds: 5 },
  ],
  failing: { subscription: 's', subscriptionName: 'crm', failedAttempts: [7, 9] },
}

describe('figures', () => {
  it('say what happened and how it was before', () => {
    const figures = figuresOf(busy, 'shop', 'in the last hour')
    expect(figures.map(({ value, unit, hint }) => `${value}${unit}, ${hint}`)).toEqual([
      '36.4/s, 131,204 in the last hour',
      '2.8/s, 9,964 in the last hour',
      '99.64%, was 99.98 % before',
      '184ms, was 151 ms',
      '5:08min, 1,406 retrying',
      '36, none',
    ])
    expect(figures[5]?.to).toMatchObject({ name: 'deliveries', query: { status: 'dead', since: quiet.since, until: quiet.until } })
  })

  it('of a quiet project say so', () => {
    expect(figuresOf(quiet, 'shop', '').map(({ value, hint }) => `${value} ${hint.trim()}`)).toEqual(['0 0', '0 0', '– nothing ended yet', '– nothing delivered yet', '0 nothing waits', '0 none'])
  })
})

it('a point that has only begun is not drawn, and the others are by the second or minute', () => {
  const { throughput, failed } = chartLines(busy)
  expect(throughput.map(({ values }) => values)).toEqual([
    [2, null],
    [1, null],
  ])
  expect(failed.map(({ label, values }) => [label, values])).toEqual([
    ['crm', [7, null]],
    ['others', [3, null]],
  ])
})

it('a range is said in words', () => {
  expect(periodWords('1h', '')).toBe('in the last hour')
  expect(periodWords('1h', '2026-11-23T14:32:00Z')).toBe('in this range')
})
