/** Scrolls `around` sideways, and nothing else, until `chosen` is seen with a little beside it. */
export function reveal(around: HTMLElement | null | undefined, chosen: HTMLElement | null | undefined): void {
  if (!chosen || !around || around.scrollWidth <= around.clientWidth) return
  const [seen, is] = [around.getBoundingClientRect(), chosen.getBoundingClientRect()]
  if (is.left < seen.left) around.scrollLeft += is.left - seen.left - 16
  else if (is.right > seen.right) around.scrollLeft += is.right - seen.right + 16
}
