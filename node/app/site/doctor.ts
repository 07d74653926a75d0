import { existsSync } from 'node:fs'
import { systemClock, systemRandom } from '#adapters/host/system-host.ts'
import { readPassword } from '#adapters/vault/password.ts'
import type { OpenVault } from '#adapters/vault/secrets-vault.ts'
import { openVault } from '#adapters/vault/site-vault.ts'
import { dialOut } from '#app/node/dial-out.ts'
import { greetAll } from '#app/node/peer-watch.ts'
import type { StudyCall } from '#app/study/studies.ts'
import { has } from '#base/bitmap.ts'
import type { MemberHealth } from '#web/health.ts'
import { readConfig } from './config.ts'
import {
  checkBackend,
  checkClock,
  checkDataFile,
  checkDisk,
  checkLimits,
  checkMembership,
  checkReach,
  checkStore,
  checkStudyData,
  checkVersions,
  type Finding,
} from './doctor-checks.ts'
import { type Diagnosis, Examination } from './examination.ts'
import { passwordSource, sitePaths } from './site-folder.ts'
import { nodeHealth } from './site-status.ts'
import { type SiteView, withSiteView } from './site-view.ts'

/** Looks at everything that a node needs, from its folder outwards; a fault ends only what depends on it. */
export async function examine(call: StudyCall, onCheck: (name: string) => void = () => {}): Promise<Diagnosis> {
  const patient = new Examination(onCheck)
  const config = await patient.take('config', async () => [await readConfig(call.folder), { state: 'ok', what: sitePaths(call.folder).config }])
  if (config === null) return patient.diagnosis()
  const paths = sitePaths(call.folder)
  const vault = await patient.take('keys', async () => openKeys(call, config, paths))
  await patient.look('disk', () => checkDisk(paths))
  await patient.look('store', () => checkStore(paths, call.signal))
  const health = await nodeHealth(config)
  await patient.look('node', async () =>
    existsSync(paths.resting)
      ? { state: 'warn', what: 'rests, and abstains from every round: `rota pause --off` ends it' }
      : { state: 'ok', what: health === null ? 'does not run now' : `runs, ${health.version}` },
  )
  await patient.look('data', () => checkDataFile({ config, paths }))
  await patient.within('chain', (found) => withSiteView(call.folder, call.signal, (view) => examineNetwork(patient, view, vault, found, call.signal)))
  await patient.look('backend', checkBackend)
  return patient.diagnosis()
}

async function openKeys(call: StudyCall, config: Awaited<ReturnType<typeof readConfig>>, paths: ReturnType<typeof sitePaths>): Promise<[OpenVault, Finding]> {
  const vault = await openVault(call.folder, readPassword(passwordSource(config, call.folder, call.password)), systemRandom)
  const elsewhere = (['steward', 'recovery'] as const).filter((role) => !existsSync(paths[role]))
  return [vault, { state: 'ok', what: `open with the password${elsewhere.length > 0 ? `; ${elsewhere.join(' and ')} are kept elsewhere` : ''}` }]
}

async function examineNetwork(
  patient: Examination,
  view: SiteView,
  vault: OpenVault | null,
  found: (finding: Finding) => void,
  signal: AbortSignal,
): Promise<void> {
  const head = await view.chain.head()
  found({ state: 'ok', what: `${view.chain.link.url}, id ${view.chain.chainId}, block ${head.number}; contracts at ${view.config.contracts}` })
  if (vault !== null) await patient.look('membership', () => checkMembership(view, vault))
  const members = vault === null || view.own === null ? [] : await greetMembers(view, vault, signal)
  await patient.look('members', async () => checkReach(members, view.own !== null))
  await patient.look('clock', async () => checkClock(members))
  await patient.look('version', () => checkVersions(members))
  for (const study of await view.chain.studies()) {
    await patient.look(`study ${study.id}`, () => checkStudyData(view, study, signal))
    if (view.own !== null && has(study.approved, view.own.id)) await patient.look(`canary ${study.id}`, () => checkLimits(view.paths, study))
  }
}

const ANSWER_MS = 12_000
const LOOK_MS = 500

/** A running node has the peers' connections: it is asked. Without one the members are dialled with the site's own network key. */
async function greetMembers(view: SiteView, vault: OpenVault, signal: AbortSignal): Promise<readonly MemberHealth[]> {
  const others = view.sites.filter((site) => site.state === 'Active' && site.id !== view.own?.id)
  if (others.length === 0) return []
  if ((await nodeHealth(view.config)) === null) return dialOut(vault, view.sites, (network) => greetAll(network, others, signal))
  for (const end = systemClock.nowMs() + ANSWER_MS; systemClock.nowMs() < end; await systemClock.sleep(LOOK_MS, signal)) {
    const members = (await nodeHealth(view.config))?.members ?? []
    if (members.length > 0) return members
  }
  return others.map(({ id, name }) => ({ site: id, name, reachable: false, rttMs: null, clockOffsetMs: null, software: null, arithmetic: null }))
}
