import { describe, expect, it } from 'vitest'

import { keepsSecret } from './authDraft'
import { bodyOf, changes, draftOf, faultOf, FRESH } from './draft'
import type { Subscription } from './queries'
import { headersSummary, signatureSummary, transformSummary } from './summaries'

const saved = {
  id: '1',
  name: 'crm',
  filters: [{ exact: { type: 'a' } }],
  sink: 'https://crm.dev/',
  delivery: {
    retry: 6, backoffPolicy: 'linear', backoffDelay: 'PT0.2S', backoffMax: 'PT6H', timeout: 'PT5S', retryAfterMax: 'PT0S',
    format: 'json', deadLetterSink: null, ordering: 'partitionkey', maxInFlight: 8, ratePerSecond: 50, batchSize: 10,
    headers: { 'x-tenant': 'a' }, ceOverrides: { extensions: { tenant: 'a' } }, replies: true,
  },
  auth: { type: 'oauth2', tokenUrl: 'https://login.dev/token', clientId: 'weir', scope: null, audience: 'crm', clientAuthentication: 'post' },
  tls: { certificate: 'PEM', ca: null, subject: 'CN=weir', expiresAt: '2027-01-01T00:00:00Z' },
  transform: { jsonata: '$' },
  signingSecrets: [],
  signingSecretCount: 1,
  state: 'active',
  stateReason: null,
  sinkHealth: { state: 'closed', since: null, until: null, reason: null, inFlightLimit: null },
  version: 1,
  createdAt: '2026-11-23T14:00:00Z',
  updatedAt: '2026-11-23T14:00:00Z',
} as Subscription

describe('draft', () => {
  it('gives back what was saved, and leaves secrets alone', () => {
    const { name, filters, sink, delivery, transform } = saved
    const auth = { type: 'oauth2', tokenUrl: 'https://login.dev/token', clientId: 'weir', audience: 'crm', clientAuthentication: 'post' }
    expect(bodyOf(draftOf(saved))).toEqual({ name, filters, sink, delivery, auth, tls: { certificate: 'PEM' }, transform })
  })

  it('switches Retry-After off as PT0S and keeps its length for when it is on again', () => {
    const draft = draftOf(saved)
    expect([draft.honour, draft.retryAfterMax]).toEqual([false, '3600'])
    expect(bodyOf({ ...draft, honour: true }).delivery).toMatchObject({ retryAfterMax: 'PT1H' })
  })

  it('replaces or removes secrets only when told', () => {
    expect(bodyOf({ ...FRESH, secrets: ' whsec_a\nwhsec_b ' }).signingSecrets).toEqual(['whsec_a', 'whsec_b'])
    expect(bodyOf({ ...FRESH, secrets: '' }).signingSecrets).toBeNull()
    expect(bodyOf(FRESH)).not.toHaveProperty('signingSecrets')
  })

  it('sends what is no number as it was typed, for the API to name', () => {
    expect(bodyOf({ ...FRESH, retry: 'many', timeout: '-1' }).delivery).toMatchObject({ retry: 'many', timeout: '-1' })
  })

  it('sends a credential only when it was typed, and drops what is none', () => {
    const auth = { ...draftOf(saved).auth, secret: 's3cret' }
    expect(bodyOf({ ...FRESH, auth }).auth).toMatchObject({ clientSecret: 's3cret' })
    expect(bodyOf({ ...FRESH, auth: { ...auth, type: 'bearer' } }).auth).toEqual({ type: 'bearer', token: 's3cret' })
    expect(bodyOf(FRESH)).toMatchObject({ auth: null, tls: null, transform: null })
    expect(bodyOf({ ...FRESH, headers: [{ name: ' ', value: 'x' }, { name: 'x-a ', value: '1' }] }).delivery).toMatchObject({ headers: { 'x-a': '1' } })
  })

  it('keeps a secret as long as it is the same one’s', () => {
    const kept = draftOf(saved)
    const { auth } = kept
    expect(keepsSecret(kept, kept)).toBe(true)
    expect(keepsSecret({ ...kept, auth: { ...auth, scope: 'a' } }, kept)).toBe(true)
    expect(keepsSecret({ ...kept, sink: 'https://crm.dev/other' }, kept)).toBe(true)
    expect(keepsSecret({ ...kept, sink: 'https://evil.dev/' }, kept)).toBe(false)
    expect(keepsSecret({ ...kept, auth: { ...auth, clientId: 'other' } }, kept)).toBe(false)
    expect(keepsSecret({ ...kept, auth: { ...auth, type: 'bearer' } }, kept)).toBe(false)
    expect(keepsSecret(FRESH, FRESH)).toBe(false)
  })

  it('says in a line what is in a section', () => {
    expect(headersSummary(draftOf(saved))).toBe('x-tenant, OAuth2 client credentials, client certificate, attributes tenant')
    expect(headersSummary(FRESH)).toBe('none but the event’s own')
    expect(transformSummary('')).toBe('none, the event is sent as stored')
    expect(transformSummary('{\n}')).toBe('JSONata { …')
    expect([signatureSummary(null, 2), signatureSummary(null, 0), signatureSummary(' ', 1), signatureSummary('a b', 0)]).toEqual([
      'Standard Webhooks, 2 live secrets', 'not signed', 'not signed any more when saved', 'Standard Webhooks, 2 new secrets when saved',
    ])
  })

  it('counts changes and finds faults', () => {
    expect(changes({ ...FRESH, retry: '3', filters: [{ exact: { a: 'b' } }] }, FRESH)).toBe(2)
    const faults = [{ pointer: '/delivery/retry', detail: 'must be an integer' }, { pointer: '/filters/0/exact', detail: 'is empty' }]
    expect(faultOf(faults, 'retry')).toBe('must be an integer')
    expect(faultOf(faults, 'filters')).toBe('is empty')
    expect(faultOf([{ pointer: '/auth/name', detail: 'must be given' }], 'name')).toBeUndefined()
    expect(faultOf(faults, 'sink')).toBeUndefined()
  })
})
