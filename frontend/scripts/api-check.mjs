// Fails when `src/api` is not what `npm run api` makes of docs/openapi.json.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

function contents(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return new Map(files.map(({ parentPath, name }) => [join(parentPath, name).slice(folder.length), readFileSync(join(parentPath, name), 'utf8')]))
}

const fresh = mkdtempSync(join(tmpdir(), 'weir-api-'))
try {
  execFileSync('npx', ['--no-install', 'openapi-ts', '--silent'], { stdio: 'inherit', env: { ...process.env, WEIR_API_OUTPUT: fresh } })
  const [made, kept] = [contents(fresh), contents('src/api')]
  const differ = [...new Set([...made.keys(), ...kept.keys()])].filter((name) => made.get(name) !== kept.get(name))
  if (differ.length) {
    console.error(`src/api is not what docs/openapi.json says: ${differ.join(', ')}. Run: npm run api`)
    process.exitCode = 1
  }
} finally {
  rmSync(fresh, { recursive: true })
}
