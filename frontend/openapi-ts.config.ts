import { defineConfig } from '@hey-api/openapi-ts'

export default defineConfig({
  input: process.env.WEIR_OPENAPI ?? '../docs/openapi.json',
  output: { path: process.env.WEIR_API_OUTPUT ?? 'src/api', postProcess: [] },
  plugins: [
    { name: '@hey-api/client-fetch', throwOnError: true },
    { name: '@hey-api/typescript', enums: false },
    { name: '@hey-api/sdk', auth: true, responseStyle: 'data' },
  ],
})
