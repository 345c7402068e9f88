// Fails when the built console is larger than it may be. Sizes are gzip, in KB of 1,000 bytes. A route counts what it
// loads beyond the entry; the first route is the entry with the larger of the two pages one may land on.
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

const LIMITS = { first: 175, route: 60, css: 20 }
const LANDINGS = ['SignInPage', 'StartPage']

const manifest = JSON.parse(readFileSync('dist/.vite/manifest.json', 'utf8'))
const size = (file) => gzipSync(readFileSync(`dist/${file}`), { level: 9 }).length / 1000

function closure(key, seen = new Set()) {
  if (seen.has(key)) return seen
  seen.add(key)
  for (const next of manifest[key].imports ?? []) closure(next, seen)
  return seen
}
const kilobytes = (keys) => [...keys].reduce((sum, key) => sum + size(manifest[key].file), 0)

const entry = closure('index.html')
const frame = closure('src/app/Frame.vue')
const base = new Set([...entry, ...frame])
const rows = []
const over = []
function judge(name, value, limit) {
  rows.push({ what: name, KB: Number(value.toFixed(1)), limit })
  if (value > limit) over.push(name)
}

const pages = Object.keys(manifest).filter((key) => /^src\/features\/.+\/pages\/.+\.vue$/.test(key))
const landings = pages.filter((key) => LANDINGS.some((name) => key.endsWith(`/${name}.vue`)))
judge('first route', Math.max(...landings.map((key) => kilobytes(new Set([...base, ...closure(key)])))), LIMITS.first)
for (const page of pages) {
  judge(page.slice('src/features/'.length), kilobytes([...closure(page)].filter((key) => !base.has(key))), LIMITS.route)
}
const styles = new Set(Object.values(manifest).flatMap((chunk) => chunk.css ?? []))
judge('css', [...styles].reduce((sum, file) => sum + size(file), 0), LIMITS.css)

console.table(rows)
if (over.length) {
  console.error(`Over budget: ${over.join(', ')}`)
  process.exitCode = 1
}
