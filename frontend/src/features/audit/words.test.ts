import { describe, expect, it } from 'vitest'

import type { EntryRow } from './queries'
import { earlier } from './restore'
import { actionLabel, byDay, initials, pageOf, phrase, viaText, whereText } from './words'

const row = (more: object) => ({ action: 'subscription.changed', at: '2026-11-23T14:05:22.417Z', actor: { kind: 'user', id: 'u', name: 'Mara Lindqvist' }, via: 'console', agent: 'Mozilla/5.0', address: '198.51.100.88', thing: { kind: 'subscription', id: 'i', name: 'crm' }, ...more }) as EntryRow

describe('words', () => {
  it.each([
    ['subscription.changed', 'changed subscription'],
    ['key.created', 'created API key'],
    ['session.started', 'signed in'],
    ['member.let_in', 'made a link to sign in for'],
    ['signInLink.made_anew', 'made anew sign in link'],
  ])('%s', (action, text) => {
    expect(phrase(action).text).toBe(text)
  })
  it('calls choices by their kind first', () => {
    expect(actionLabel('key.rotated')).toBe('API key rotated')
    expect(actionLabel('session.started')).toBe('session started')
  })
  it('has initials of people, keys and nobody', () => {
    expect([row({}), row({ actor: { kind: 'key', id: 'k', name: 'terraform' } }), row({ actor: { kind: 'weir', id: null, name: 'Weir' } })].map(initials)).toEqual(['ML', 'TE', '–'])
  })
  it('says by what', () => {
    const key = { kind: 'key', id: 'k', name: 'ci' }
    expect([row({}), row({ via: 'key', actor: key }), row({ via: 'command', agent: 'weir-cli/2.4.0' }), row({ via: 'operator', agent: 'weir up' })].map(viaText)).toEqual(['console', 'key ci', 'weir 2.4.0', 'weir up'])
    expect(whereText(row({}))).toBe('console, session from 198.51.100.88')
    expect(whereText(row({ via: 'command', agent: 'weir-cli/2.4.0', actor: key }))).toBe('weir 2.4.0, key ci from 198.51.100.88')
  })
  it('stands by day', () => {
    const lines = byDay([row({}), row({ at: '2026-11-23T00:00:00Z' }), row({ at: '2026-11-22T23:59:59Z' })])
    expect(lines.map(({ day }) => day)).toEqual(['Monday 23 November 2026', undefined, undefined, 'Sunday 22 November 2026', undefined])
  })
  it('leads to things that have a page and are there still', () => {
    const known = (name: string) => name !== 'roles'
    expect(pageOf(row({}), 'shop', known)).toEqual({ name: 'subscription', params: { project: 'shop', id: 'i' } })
    expect(pageOf(row({ action: 'subscription.deleted' }), 'shop', known)).toBeNull()
    expect(pageOf(row({ thing: { kind: 'role', id: 'r', name: 'r' } }), 'shop', known)).toBeNull()
  })
})

describe('earlier', () => {
  const before = { name: 'crm', filters: [], sink: 'https://a.example', delivery: {}, transform: null, state: 'active', auth: { type: 'bearer', token: '[redacted]' }, version: 3 }
  it('is what was before, without secrets', () => {
    const found = earlier({ ...row({}), before, after: before })
    expect(found).toEqual({ fault: '', body: { name: 'crm', filters: [], sink: 'https://a.example', delivery: {}, transform: null, state: 'active' } })
  })
  it('is not there for what is new, gone, or something else', () => {
    expect(earlier({ ...row({}), before: null, after: before })).toBeNull()
    expect(earlier({ ...row({ thing: { kind: 'key', id: 'k', name: 'k' } }), before, after: before })).toBeNull()
    expect(earlier({ ...row({}), before: { state: 'active' }, after: { state: 'disabled' } })).toBeNull()
  })
  it('cannot be where the log left something out', () => {
    expect(earlier({ ...row({}), before: { ...before, sink: 'https://a.example?token=[redacted]' }, after: before })?.fault).not.toBe('')
  })
})
