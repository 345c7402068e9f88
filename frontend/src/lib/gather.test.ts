import { describe, expect, it } from 'vitest'

import { gather } from './gather'

const pages: Record<string, { items: number[]; next: string | null }> = {
  '': { items: [1, 2], next: 'a' },
  a: { items: [3, 4], next: 'b' },
  b: { items: [5], next: null },
}
const page = (cursor: string | undefined) => Promise.resolve(pages[cursor ?? ''] ?? { items: [], next: null })

describe('gather', () => {
  it('reads to the end', async () => {
    expect(await gather(page, 10)).toEqual({ rows: [1, 2, 3, 4, 5], isCut: false })
  })
  it('takes no more than the limit, and says that there are more', async () => {
    expect(await gather(page, 3)).toEqual({ rows: [1, 2, 3], isCut: true })
    expect(await gather(page, 4)).toEqual({ rows: [1, 2, 3, 4], isCut: true })
  })
  it('cuts nothing where there are as many as the limit', async () => {
    expect(await gather(page, 5)).toEqual({ rows: [1, 2, 3, 4, 5], isCut: false })
  })
})
