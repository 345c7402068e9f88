/** The path of a line through values at equal distances, between their least and their greatest; null leaves a gap. */
export function linePath(values: (number | null)[], width: number, height: number): string {
  const known = values.filter((value): value is number => value !== null)
  if (known.length < 2) return ''
  const low = Math.min(...known)
  const span = Math.max(...known) - low
  const pad = 1.5
  const round = (n: number) => String(Math.round(n * 10) / 10)
  let path = ''
  let drawing = false
  values.forEach((value, at) => {
    if (value === null) {
      drawing = false
      return
    }
    const x = (at / (values.length - 1)) * width
    // What never changes lies at the bottom.
    const y = span ? pad + (1 - (value - low) / span) * (height - 2 * pad) : height - pad
    path += `${drawing ? 'L' : 'M'}${round(x)} ${round(y)}`
    drawing = true
  })
  return path
}
