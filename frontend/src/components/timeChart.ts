import type { Options, Series } from 'uplot'
import type uPlot from 'uplot'

import type { Zone } from '@/lib/zone'
import { clock, dateTime } from '@/lib/time'

export type Tone = 'accent' | 'strong' | 'neutral' | 'fail'

/** A line of a chart. */
export interface Line {
  label: string
  /** One for each point; null where nothing is known. */
  values: (number | null)[]
  tone: Tone
  dash?: boolean
  /** Fills what is below it. */
  area?: boolean
}

/** A moment to be seen on every chart, such as a change of a subscription. */
export interface Mark {
  /** Milliseconds since the epoch. */
  at: number
  label: string
}

export interface ChartData {
  /** When each point begins, in milliseconds since the epoch. */
  at: number[]
  lines: Line[]
  marks: Mark[]
}

const COLOURS: Record<Tone, string> = { accent: '--accent', strong: '--text-1', neutral: '--text-2', fail: '--fail-fill' }

function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim()
}

/** The label of an instant on the axis of time: the day where a new one begins or hours do not matter. */
export function tickLabel(at: number, stepSeconds: number, zone: Zone): string {
  const time = clock(at, zone).time.slice(0, 5)
  return stepSeconds >= 86_400 || time === '00:00' ? dateTime(at, zone).slice(5, 10) : time
}

/** A number on the axis of values: short, and no two of them alike. */
export function axisText(value: number): string {
  if (value >= 10_000) return value.toLocaleString('en', { notation: 'compact' })
  return value < 1 ? value.toLocaleString('en', { maximumSignificantDigits: 2 }) : value.toLocaleString('en', { maximumFractionDigits: 1 })
}

interface Behaviour {
  width: number
  height: number
  zone: () => Zone
  format: (value: number) => string
  /** Charts with one name share their cross-hair. */
  sync: string
  /** Whether marks are named. */
  named: boolean
  data: () => ChartData
  hovered: (index: number | null) => void
  chosen: (since: number, until: number) => void
}

const FONT = '11px "Geist Variable", ui-sans-serif, system-ui, sans-serif'

/** Marks nearer than this touch, in pixels. */
const TOUCHING = 14

/** Where the name of the last of these marks stands: after it, or before those that it touches. */
export function nameEdge(xs: number[], wide: number, end: number, ratio: number): { x: number; align: 'left' | 'right' } {
  let edge = xs.at(-1) ?? 0
  if (edge + 7 * ratio + wide < end) return { x: edge + 7 * ratio, align: 'left' }
  for (const x of xs.slice(0, -1).reverse()) if (edge - x < TOUCHING * ratio) edge = x
  return { x: edge - 7 * ratio, align: 'right' }
}

function drawMarks(u: uPlot, { data, named, zone }: Behaviour): void {
  const ratio = devicePixelRatio
  const { ctx } = u
  const { left, top, width, height } = u.bbox
  const { marks } = data()
  ctx.save()
  ctx.fillStyle = ctx.strokeStyle = token('--text-2')
  const placed = marks.map((mark) => ({ mark, x: Math.round(u.valToPos(mark.at / 1000, 'x', true)) + 0.5 })).filter(({ x }) => x >= left && x <= left + width)
  placed.forEach(({ mark, x }, index) => {
    ctx.setLineDash([2 * ratio, 2 * ratio])
    ctx.lineWidth = ratio
    ctx.beginPath()
    ctx.moveTo(x, top)
    ctx.lineTo(x, top + height)
    ctx.stroke()
    ctx.beginPath()
    ctx.moveTo(x - 4 * ratio, top - 5 * ratio)
    ctx.lineTo(x + 4 * ratio, top - 5 * ratio)
    ctx.lineTo(x, top + ratio)
    ctx.fill()
    // The newest alone is named: names of several would lie upon each other.
    if (!named || index !== placed.length - 1) return
    const text = `${clock(mark.at, zone()).time.slice(0, 5)} ${mark.label}`
    ctx.font = FONT.replace('11px', `${String(11 * ratio)}px`)
    const wide = ctx.measureText(text).width
    const name = nameEdge(
      placed.map((one) => one.x),
      wide,
      left + width,
      ratio,
    )
    ctx.textAlign = name.align
    ctx.textBaseline = 'middle'
    ctx.fillText(text, name.x, top - 2 * ratio)
  })
  ctx.restore()
}

/** The options of uPlot for a chart as Weir draws it, in the colours of the theme that is on. */
export function chartOptions(behaviour: Behaviour): Options {
  const { width, height, zone, format, sync, data, hovered, chosen } = behaviour
  const text = token('--text-3')
  const series: Series[] = data().lines.map(({ label, tone, dash, area }) => ({
    label,
    stroke: token(COLOURS[tone]),
    width: 1.4,
    ...(dash ? { dash: [3, 2] } : {}),
    ...(area ? { fill: `color-mix(in srgb, ${token(COLOURS[tone])} 9%, transparent)` } : {}),
    points: { show: false },
    spanGaps: false,
  }))
  return {
    width,
    height,
    padding: [16, 18, 0, 0],
    legend: { show: false },
    scales: { x: { time: true }, y: { range: (_, __, most) => [0, most > 0 ? most * 1.12 : 1] } },
    cursor: {
      sync: { key: sync },
      drag: { x: true, y: false, setScale: false },
      points: { size: 7, width: 1.5, fill: token('--bg'), stroke: (u, at) => (u.series[at]?.stroke as () => string)() },
      y: false,
    },
    axes: [
      {
        stroke: text,
        font: FONT,
        grid: { show: false },
        ticks: { show: false },
        border: { show: true, stroke: token('--line'), width: 1 },
        size: 24,
        gap: 6,
        space: 84,
        values: (_, splits) => {
          const step = (splits[1] ?? 0) - (splits[0] ?? 0)
          return splits.map((at) => tickLabel(at * 1000, step, zone()))
        },
      },
      {
        stroke: text,
        font: FONT,
        grid: { stroke: token('--grid'), width: 1 },
        ticks: { show: false },
        size: 48,
        gap: 8,
        space: 36,
        values: (_, splits) => splits.map(format),
      },
    ],
    series: [{}, ...series],
    hooks: {
      draw: [(u) => drawMarks(u, behaviour)],
      setCursor: [(u) => hovered(u.cursor.idx ?? null)],
      setSelect: [
        (u) => {
          if (u.select.width < 4) return
          const [from, to] = [u.posToVal(u.select.left, 'x'), u.posToVal(u.select.left + u.select.width, 'x')]
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
          chosen(from * 1000, to * 1000)
        },
      ],
    },
  }
}

/** Columns as uPlot takes them: seconds first. */
export function columns({ at, lines }: ChartData): uPlot.AlignedData {
  return [at.map((ms) => ms / 1000), ...lines.map(({ values }) => values)]
}
