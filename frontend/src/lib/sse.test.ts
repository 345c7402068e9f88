import { expect, test } from 'vitest'

import { sseParser } from './sse'

const TEXT = 'retry: 1000\n\n: still here\nid: 1-a\n\nid: 2-b\ndata: {"a":\ndata: "é"}\n\nevent: dropped\nid: 3-c\ndata: {"count":1}\n\n'

test.each([1, 3, 1000])('messages are found in pieces of %i', (size) => {
  const parse = sseParser()
  const found = Array.from({ length: Math.ceil(TEXT.length / size) }, (_, i) => parse(TEXT.slice(i * size, (i + 1) * size))).flat()
  expect(found).toEqual([
    { kind: 'at', id: '1-a', data: '' },
    { kind: 'message', id: '2-b', data: '{"a":\n"é"}' },
    { kind: 'dropped', id: '3-c', data: '{"count":1}' },
  ])
})

test('what is cut off is no message', () => {
  expect(sseParser()('id: 1\ndata: {}\n')).toEqual([])
})
