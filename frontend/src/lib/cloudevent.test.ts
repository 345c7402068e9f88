import { describe, expect, it } from 'vitest'

import { eventAsEmit } from './cloudevent'

describe('eventAsEmit', () => {
  it('writes a command that a shell reads back', () => {
    const event = { specversion: '1.0', id: 'e-1', source: '/shop', type: 'order.created', time: '2026-11-23T14:00:00Z', region: 'eu', datacontenttype: 'application/json', data: { note: "it's" } }
    expect(eventAsEmit(event).replaceAll(' \\\n  ', ' ')).toBe(
      `weir emit --id 'e-1' -s '/shop' -t 'order.created' --ext 'time=2026-11-23T14:00:00Z' --ext 'region=eu' --content-type 'application/json' -d '{"note":"it'\\''s"}'`,
    )
  })

  it('keeps text as text, and gives binary data by a pipe', () => {
    expect(eventAsEmit({ specversion: '0.3', id: '1', source: 's', type: 't', datacontenttype: 'text/plain', data: 'hi' } as never)).toContain(`--ext 'specversion=0.3'`)
    expect(eventAsEmit({ data: 'hi', datacontenttype: 'text/plain' } as never)).toContain("-d 'hi'")
    expect(eventAsEmit({ data: 'hi' } as never)).toContain(`-d '"hi"'`)
    expect(eventAsEmit({ data_base64: 'AAE=' } as never)).toMatch(/^base64 -d <<< 'AAE=' \| weir emit .*-d @-$/s)
  })
})
