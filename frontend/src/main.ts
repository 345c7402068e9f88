import { VueQueryPlugin } from '@tanstack/vue-query'
import { createApp } from 'vue'

import App from '@/app/App.vue'
import BrokenConfig from '@/app/BrokenConfig.vue'
import { loadConfig } from '@/app/config'
import { queryClient } from '@/app/queries'
import { router } from '@/app/router'

import './style.css'

// After an upgrade the files that an open page still names are gone. It is read anew, but not in a loop.
window.addEventListener('vite:preloadError', (event) => {
  const last = Number(sessionStorage.getItem('weir.reloaded'))
  if (Date.now() - last < 60_000) return
  sessionStorage.setItem('weir.reloaded', String(Date.now()))
  event.preventDefault()
  window.location.reload()
})

const broken = await loadConfig().then(
  () => null,
  (error: unknown) => (error as Error).message,
)
const app = broken === null ? createApp(App).use(VueQueryPlugin, { queryClient }).use(router) : createApp(BrokenConfig, { why: broken })
app.mount('#app')
