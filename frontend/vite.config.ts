import { fileURLToPath } from 'node:url'

import tailwindcss from '@tailwindcss/vite'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'

const gateway = process.env.WEIR_URL ?? 'http://127.0.0.1:8480'

export default defineConfig({
  plugins: [vue({ features: { optionsAPI: false } }), tailwindcss()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  build: { target: 'es2023', manifest: true, assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  server: { proxy: { '/v1': gateway, '/in': gateway, '/sink': gateway, '/config.json': gateway } },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
})
