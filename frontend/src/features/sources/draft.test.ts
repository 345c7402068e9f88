import { describe, expect, it } from 'vitest'

import { changeBody, draftOf, FRESH, isChanged, mappingFault, newBody } from './draft'
import type { Kind, Source } from './queries'

const hmac = { name: 'hmac', settings: ['header', 'separator', 'toleranceSeconds', 'mapping'], secrets: { generated: true, required: true, hint: '' } } as unknown as Kind
const github = { ...hmac, name: 'github', settings: ['mapping'] } as Kind
const saved = {
  name: 'ci',
  kind: 'hmac',
  settings: { header: 'X-CI', separator: null, toleranceSeconds: 60, mapping: { type: 'com.acme.ci' } },
  ratePerSecond: 5,
  burst: null,
} as unknown as Source

describe('the draft of a source', () => {
  it('gives back what was saved, what it does not show as well', () => {
    expect(changeBody(draftOf(saved), hmac, saved)).toEqual({ settings: saved.settings, ratePerSecond: 5, burst: null })
    expect(isChanged(draftOf(saved), draftOf(saved))).toBe(false)
    expect(isChanged({ ...draftOf(saved), rate: '6' }, draftOf(saved))).toBe(true)
  })

  it('sends only the settings that the kind has, and a space as a separator', () => {
    const draft = { ...FRESH, name: ' ci ', settings: { header: ' X-A ', separator: ' ', toleranceSeconds: '9' } }
    expect(newBody(draft, hmac).settings).toEqual({ header: 'X-A', separator: ' ', toleranceSeconds: 9 })
    expect(newBody(draft, github)).toEqual({ name: 'ci', kind: 'github', settings: {}, ratePerSecond: null, burst: null })
  })

  it('sends a secret only when one was given and none is to be made', () => {
    const draft = { ...FRESH, secret: ' s3cret-s3cret ' }
    expect(newBody(draft, hmac)).not.toHaveProperty('secrets')
    expect(newBody({ ...draft, making: false }, hmac).secrets).toEqual(['s3cret-s3cret'])
    const slack = { ...hmac, secrets: { ...hmac.secrets, generated: false } } as Kind
    expect(newBody(draft, slack).secrets).toEqual(['s3cret-s3cret'])
  })

  it('names what is wrong with a mapping before it is sent', () => {
    expect([mappingFault(''), mappingFault('{"type": "a"}')]).toEqual(['', ''])
    expect(mappingFault('[]')).toContain('object')
    expect(mappingFault('{')).not.toBe('')
  })
})
