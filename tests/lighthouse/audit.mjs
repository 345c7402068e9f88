// Judges one page in a browser that is open: `node audit.mjs PORT URL` prints scores, and what each lost points for.
import lighthouse, { desktopConfig } from 'lighthouse'

const [port, url] = process.argv.slice(2)
const categories = ['performance', 'accessibility', 'best-practices']
// The session is in a cookie: what the browser keeps has to stay.
const flags = { port: Number(port), output: 'json', logLevel: 'error', onlyCategories: categories, disableStorageReset: true }
const isWhole = ({ lhr }) => categories.every((name) => lhr.categories[name].score !== null)

let result = await lighthouse(url, flags, desktopConfig)
// A trace without a first paint, of a machine that was busy, is no score at all: it is taken again.
for (let again = 0; again < 2 && !isWhole(result); again += 1) result = await lighthouse(url, flags, desktopConfig)
const { categories: found, audits, finalDisplayedUrl } = result.lhr
const scores = Object.fromEntries(categories.map((name) => [name, Math.round((found[name].score ?? 0) * 100)]))
const lost = Object.fromEntries(
  categories.map((name) => [
    name,
    found[name].auditRefs
      .filter(({ id, weight }) => weight > 0 && audits[id].score !== null && audits[id].score < 1)
      .map(({ id }) => `${id}: ${audits[id].displayValue ?? audits[id].title}`),
  ]),
)
process.stdout.write(JSON.stringify({ url: finalDisplayedUrl, scores, lost }))
