// Prints events that others publish, one CloudEvent without id and time per line: GitHub's webhook examples, mapped as
// the CloudEvents project's GitHub adapter says, and the samples of Google's CloudEvents.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import vm from 'node:vm'

const require = createRequire(import.meta.url)

function subjectOf(name, payload) {
  for (const part of ['issue', 'pull_request', 'discussion', 'check_run', 'workflow_run', 'release', 'deployment']) {
    const found = payload[part]
    if (found) return String(found.number ?? (found.name || found.id))
  }
  return payload.ref || payload.repository?.name || payload.organization?.login || name
}

function* github() {
  for (const { name, examples } of require('@octokit/webhooks-examples')) {
    for (const payload of examples) {
      yield {
        type: ['com.github', name, payload.action].filter(Boolean).join('.'),
        source: payload.repository?.url ?? payload.organization?.url ?? 'https://api.github.com',
        subject: subjectOf(name, payload),
        data: payload,
      }
    }
  }
}

// Which type each sample of the package stands for: its reference.md pairs types with the names of their data.
const GOOGLE = {
  LOG_ENTRY_DATA: ['cloud.audit.log.v1.written', 'cloudaudit.googleapis.com'],
  BUILD_EVENT_DATA: ['cloud.cloudbuild.build.v1.statusChanged', 'cloudbuild.googleapis.com'],
  FIRESTORE_DATA: ['cloud.firestore.document.v1.written', 'firestore.googleapis.com'],
  PUBSUB_DATA: ['cloud.pubsub.topic.v1.messagePublished', 'pubsub.googleapis.com'],
  SCHEDULER_DATA: ['cloud.scheduler.job.v1.executed', 'cloudscheduler.googleapis.com'],
  STORAGE_DATA: ['cloud.storage.object.v1.finalized', 'storage.googleapis.com'],
  ANALYTICS_DATA: ['firebase.analytics.log.v1.written', 'firebaseanalytics.googleapis.com'],
  AUTH_DATA: ['firebase.auth.user.v1.created', 'firebaseauth.googleapis.com'],
  DATABASE_DATA: ['firebase.database.ref.v1.written', 'firebasedatabase.googleapis.com'],
  REMOTE_CONFIG_DATA: ['firebase.remoteconfig.remoteConfig.v1.updated', 'firebaseremoteconfig.googleapis.com'],
}

// The package exports types alone; its samples are the constants at the head of its own test.
function* google() {
  const text = readFileSync(require.resolve('@google/events/tests/index.js'), 'utf8')
  const constants = text.slice(0, text.indexOf('describe(')).replaceAll(/^.*(require\(|exports).*$/gm, '')
  const RemoteConfigEventData_1 = require('@google/events/firebase/remoteconfig/v1/RemoteConfigEventData')
  const wanted = `({ ${Object.keys(GOOGLE).join(', ')} })`
  const samples = vm.runInNewContext(`${constants}; ${wanted}`, { Buffer, RemoteConfigEventData_1 })
  for (const [name, [type, service]] of Object.entries(GOOGLE)) {
    yield { type: `google.${type}`, source: `//${service}/projects/my-project`, data: samples[name] }
  }
}

for (const event of [...github(), ...google()]) console.log(JSON.stringify(event))
