import { existsSync } from 'node:fs'
import { access, constants } from 'node:fs/promises'
import { resolve } from 'node:path'
import { inspectColumns } from '#adapters/cohort/inspect-columns.ts'
import { systemRandom } from '#adapters/host/system-host.ts'
import { peerIdOf } from '#adapters/network/peer-id.ts'
import { type DiskUse, diskUse, FULLEST } from '#adapters/store/disk-use.ts'
import { listBackends } from '#adapters/training/list-backends.ts'
import type { OpenVault } from '#adapters/vault/secrets-vault.ts'
import { accountAddress } from '#adapters/vault/site-vault.ts'
import { dayOf, keptCanary, verdictOf } from '#app/canary/canary-file.ts'
import { measureStore } from '#app/canary/canary-training.ts'
import { slowestWay } from '#app/canary/canary-ways.ts'
import { offline } from '#app/node/offline-store.ts'
import { clockAlarm } from '#app/node/peer-watch.ts'
import { withScratchStore } from '#app/node/scratch-store.ts'
import { previewData } from '#app/protocol/approval-preview.ts'
import { protocolOf } from '#app/study/studies.ts'
import { has } from '#base/bitmap.ts'
import { RotaError } from '#base/errors.ts'
import { bytes, count, percent } from '#base/format.ts'
import type { StudyRecord } from '#ports/chain.ts'
import type { MemberHealth } from '#web/health.ts'
import { arithmeticVersion } from '../arithmetic-version.ts'
import { readCard } from './init-site.ts'
import type { SitePaths } from './site-folder.ts'
import type { SiteView } from './site-view.ts'

/** What one look found; a fault is thrown as its error. `warn`: works, but should be known. */
export interface Finding {
  readonly state: 'ok' | 'warn'
  readonly what: string
  readonly error?: RotaError
}

const ok = (what: string): Finding => ({ state: 'ok', what })
const warn = (what: string, error?: RotaError): Finding => ({ state: 'warn', what, ...(error === undefined ? {} : { error }) })

const LEAST_FREE_BYTES = 200e6
const GOOD_FREE_BYTES = 5e9

/** The disk that the node writes to, by the measure by which it takes on no new work. @throws ROTA-1306 not writable, and as `judgeDisk` */
export async function checkDisk({ folder, state }: Pick<SitePaths, 'folder' | 'state'>): Promise<Finding> {
  const dir = existsSync(state) ? state : folder
  await access(dir, constants.W_OK).catch((cause: NodeJS.ErrnoException) => {
    throw new RotaError('ROTA-1306', { file: dir, reason: String(cause.code) })
  })
  return judgeDisk(await diskUse(dir), dir)
}

/** @throws ROTA-1218 next to nothing is free, ROTA-5513 so full that the node abstains from every round */
export function judgeDisk({ freeBytes, usedFraction }: DiskUse, dir: string): Finding {
  if (freeBytes < LEAST_FREE_BYTES) throw new RotaError('ROTA-1218', { free: bytes(freeBytes), dir, wanted: bytes(GOOD_FREE_BYTES) })
  if (usedFraction > FULLEST) throw new RotaError('ROTA-5513')
  const found = `${bytes(freeBytes)} are free, ${percent(usedFraction, 0)} are used`
  return freeBytes < GOOD_FREE_BYTES ? warn(`${found}: enough for small models only`) : ok(found)
}

/** Writes and reads a little in a store of its own beside the node's, on the same disk. @throws ROTA-1306, ROTA-4013 the disk refuses */
export async function checkStore({ state }: Pick<SitePaths, 'state'>, signal: AbortSignal): Promise<Finding> {
  const { writeBytesPerSecond, readBytesPerSecond } = await withScratchStore(state, offline, (store, dir) => measureStore(store, dir, 0, systemRandom, signal))
  return ok(`writes ${bytes(writeBytesPerSecond)}/s, reads ${bytes(readBytesPerSecond)}/s`)
}

/** Whether the limits of an approved study hold, as far as a canary was run here. A run that could not finish is told, and is no fault of this site. */
export async function checkLimits(paths: Pick<SitePaths, 'canary'>, study: StudyRecord): Promise<Finding> {
  const kept = await keptCanary(paths, study.id, study.protocolDigest)
  if (kept === null) return ok(`no canary was run here: rota canary ${study.id}`)
  const { atMs, shortfalls, unanswered } = verdictOf(kept)
  const when = dayOf(atMs)
  if (shortfalls.length > 0) return warn(`${shortfalls.join('; ')}`, new RotaError('ROTA-1401', { study: study.id, shortfalls: shortfalls.join('; '), when }))
  if (unanswered.length > 0) return warn(`the limits held in the canary of ${when}; not measured: ${unanswered.join(', ')}`)
  const slowest = slowestWay(kept.ways)
  const name = (site: number): string => kept.rows.find((row) => row.site === site)?.name ?? `site ${site}`
  const way = slowest === null ? '' : `; slowest way ${name(slowest.from)} to ${name(slowest.to)}, ${bytes(slowest.bytesPerSecond)}/s`
  return ok(`the limits held in the canary of ${when}${way}`)
}

/** The chain's record against this folder's keys. @throws ROTA-1204 no member, ROTA-1219 other keys */
export async function checkMembership({ own, account, paths, sites }: SiteView, vault: OpenVault): Promise<Finding> {
  if (own === null) throw new RotaError('ROTA-1204', { account })
  const differs: string[] = []
  if (own.peerId !== peerIdOf(vault.peerSeed)) differs.push('peer id')
  if (own.encryptionKey !== vault.encryptionKey) differs.push('encryption key')
  for (const role of ['steward', 'recovery'] as const)
    if (existsSync(paths[role]) && (await accountAddress(paths[role])) !== own[role]) differs.push(`${role} account`)
  if (differs.length > 0) throw new RotaError('ROTA-1219', { fields: differs.join(', ') })
  const card = await readCard(paths.card).catch(() => null)
  const moved = card !== null && card.multiaddrs.join() !== own.multiaddrs.join()
  const members = sites.filter(({ state }) => state === 'Active').length
  return moved
    ? warn(`${own.name} is site ${own.id}; others dial ${own.multiaddrs.join(', ')}, its card says ${card.multiaddrs.join(', ')}`)
    : ok(`${own.name} is site ${own.id} of ${members}`)
}

/** @param member whether this site is one: others hang up on strangers, so that they are not dialled. @throws ROTA-4005 when none of several can be reached */
export function checkReach(members: readonly MemberHealth[], member: boolean): Finding {
  if (!member) return warn('members let in nobody but members: they are dialled once this site is one')
  const away = members.filter(({ reachable }) => !reachable)
  if (members.length === 0) return warn('there are no other members yet')
  if (away.length === members.length) throw new RotaError('ROTA-4005', { site: away.map(({ name }) => name).join(', ') })
  const near = members.filter(({ reachable }) => reachable).map(({ name, rttMs }) => `${name} ${Math.round(rttMs ?? 0)} ms`)
  return away.length > 0 ? warn(`${near.join(', ')}; not reached: ${away.map(({ name }) => name).join(', ')}`) : ok(near.join(', '))
}

/** @throws ROTA-1206 */
export function checkClock(members: readonly MemberHealth[]): Finding {
  const alarm = clockAlarm(members)
  if (alarm !== null) throw alarm
  const offsets = members.flatMap(({ name, clockOffsetMs }) => (clockOffsetMs === null ? [] : [`${name} ${(clockOffsetMs / 1000).toFixed(1)} s`]))
  return offsets.length === 0 ? warn('no member answers, so there is nothing to compare it with') : ok(`against this one: ${offsets.join(', ')}`)
}

/** @throws ROTA-1217 */
export async function checkVersions(members: readonly MemberHealth[]): Promise<Finding> {
  const ours = await arithmeticVersion()
  const other = members.find(({ arithmetic }) => arithmetic !== null && arithmetic !== ours)
  if (other !== undefined) throw new RotaError('ROTA-1217', { member: other.name, theirs: String(other.arithmetic).slice(0, 10), ours: ours.slice(0, 10) })
  return ok(`golden outputs ${ours.slice(0, 10)}`)
}

/** The data file as such, before any study. @throws ROTA-3xxx */
export async function checkDataFile({ config, paths }: Pick<SiteView, 'config' | 'paths'>): Promise<Finding> {
  const columns = await inspectColumns(resolve(paths.folder, config.data.file))
  const rows = columns[0]?.rows ?? 0
  if (rows === 0) throw new RotaError('ROTA-3002', { file: config.data.file })
  return ok(`${count(rows)} rows, ${columns.length} columns`)
}

/** The data against one study's protocol: a fault only where this site approved it. @throws ROTA-3xxx */
export async function checkStudyData(view: SiteView, study: Awaited<ReturnType<SiteView['chain']['study']>>, signal: AbortSignal): Promise<Finding> {
  const approved = view.own !== null && has(study.approved, view.own.id)
  const protocol = await protocolOf({ folder: view }, study, signal).catch((error) => {
    if (error instanceof RotaError && error.code === 'ROTA-1207') return error
    throw error
  })
  if (protocol instanceof RotaError) return warn(protocol.message, protocol)
  const data = await previewData(view, protocol)
  const first = 'problem' in data ? data.problem : data.problems[0]
  if (first !== undefined && approved) throw new ToldAgain(first)
  if (first !== undefined) return warn(`not approved here, and the data do not fit: ${first.what}`)
  const rows = 'rows' in data ? data.rows : { train: 0, test: 0 }
  const short = rows.train < protocol.cohort.minRows ? new RotaError('ROTA-3019', { rows: rows.train, minRows: protocol.cohort.minRows }) : null
  if (short !== null) return warn(short.message, short)
  return ok(`${count(rows.train)} train and ${count(rows.test)} test rows fit${approved ? '' : '; not approved here'}`)
}

/** A fault that was told before, with the words that it had. */
export class ToldAgain extends Error {
  readonly told: { readonly code: string; readonly what: string; readonly remedy: string }
  constructor(told: ToldAgain['told']) {
    super(told.what)
    this.told = told
  }
}

/** @throws ROTA-3050 when none works */
export async function checkBackend(): Promise<Finding> {
  const reports = await listBackends()
  const usable = reports.filter((report) => report.usable).sort((a, b) => (a.msPerStep ?? 0) - (b.msPerStep ?? 0))
  const best = usable[0]
  if (best === undefined) throw new RotaError('ROTA-3050', { tried: reports.map(({ name, reason }) => `${name}: ${reason}`).join('; ') })
  return ok(`${best.name} passed its self-test${best.device === '' ? '' : ` (${best.device})`}`)
}
