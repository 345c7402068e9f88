import { VueQueryPlugin } from '@tanstack/vue-query'
import { createApp } from 'vue'

import App from '@/app/App.vue'
import { loadConfig } from '@/app/config'
import { queryClient } from '@/app/queries'
import { router } from '@/app/router'

import './style.css'

await loadConfig()
createApp(App).use(VueQueryPlugin, { queryClient }).use(router).mount('#app')
