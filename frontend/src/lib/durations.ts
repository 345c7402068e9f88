/** Seconds of an ISO 8601 duration of days and smaller (`PT0.2S`, `PT1H30M`, `P1D`); null when it is none. */
export function parseDuration(text: string): number | null {
  const m = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/.exec(text)
  if (!m || !/\d/.test(text)) return null
  const [, d = '0', h = '0', min = '0', s = '0'] = m
  return Number(d) * 86_400 + Number(h) * 3600 + Number(min) * 60 + Number(s)
}

/** The ISO 8601 duration of so many seconds, in its largest even unit: 300 is `PT5M`, 90 is `PT90S`. */
export function formatDuration(seconds: number): string {
  if (seconds > 0 && seconds % 3600 === 0) return `PT${String(seconds / 3600)}H`
  if (seconds > 0 && seconds % 60 === 0) return `PT${String(seconds / 60)}M`
  return `PT${String(Math.round(seconds * 1000) / 1000)}S`
}
