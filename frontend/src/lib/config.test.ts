import { expect, it } from 'vitest'

import { parseConfig } from './config'

const page = new URL('https://console.example.com/p/default')

function apiUrl(value: unknown): string {
  return parseConfig(JSON.stringify({ apiUrl: value }), page).apiUrl
}

it('reads the origin of the API', () => {
  expect(parseConfig('{"apiUrl": "https://api.example.com/", "version": "1.2"}', page)).toEqual({ apiUrl: 'https://api.example.com', version: '1.2' })
  expect(parseConfig('{}', page)).toEqual({ apiUrl: '', version: '' })
  expect(apiUrl('https://API.example.com:443')).toBe('https://api.example.com')
  expect(apiUrl('https://console.example.com')).toBe('')
  expect(apiUrl('http://127.0.0.1:8480')).toBe('http://127.0.0.1:8480')
})

it('says what is wrong', () => {
  expect(() => parseConfig('<!doctype html><title>Weir</title>', page)).toThrow('not there')
  expect(() => parseConfig('{"apiUrl":', page)).toThrow('not JSON')
  expect(() => parseConfig('[]', page)).toThrow('not a JSON object')
  expect(() => apiUrl(7)).toThrow('not a text')
  expect(() => apiUrl('api.example.com')).toThrow('https://api.example.com')
  expect(() => apiUrl('javascript:alert(1)')).toThrow('no address')
  expect(() => apiUrl('https://api.example.com/weir')).toThrow('Write https://api.example.com.')
  expect(() => apiUrl('http://api.example.com')).toThrow('by http')
})
