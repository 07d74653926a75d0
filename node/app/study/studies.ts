import type { EthersChain } from '#adapters/chain/ethers-chain.ts'
import { studyDesk } from '#adapters/chain/studies.ts'
import { systemClock, systemRandom } from '#adapters/host/system-host.ts'
import { type PasswordSource, readPassword } from '#adapters/vault/password.ts'
import { openAccount } from '#adapters/vault/site-vault.ts'
import { type CanaryVerdict, checkStart, keptCanary, verdictOf } from '#app/canary/canary-file.ts'
import { openOfflineStore } from '#app/node/offline-store.ts'
import { noteOpenedRun } from '#app/node/opened-runs.ts'
import { termsAgainst } from '#app/programme/terms-for-study.ts'
import { newestTerms } from '#app/programme/terms-on-chain.ts'
import { checkOffered, rulesOf } from '#app/protocol/study-rules.ts'
import { connectSite, openSiteFolder, ownRecord, passwordSource, type SiteFolder } from '#app/site/site-folder.ts'
import { has, sitesOf, sizeOf } from '#base/bitmap.ts'
import { isRotaError, RotaError } from '#base/errors.ts'
import { type RunId, type StudyId, studyId } from '#base/ids.ts'
import { outlineOf } from '#core/commit/outline.ts'
import { isPrivate, policyWords } from '#core/protocol/private-rounds.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import type { StudyRecord } from '#ports/chain.ts'
import { brokenPolicy } from '#round/charged-policy.ts'
import { fetchProtocol } from '#round/fetch-protocol.ts'
import { createKeyring } from '#round/keyring.ts'
import { learnerOf } from '#round/start-model.ts'
import { encodeModel } from '#wire/model.ts'
import { encodeProtocol, protocolDigest } from '#wire/protocol.ts'
import { sha256 } from '../sha256.ts'

export interface StudyCall {
  readonly folder: string
  readonly password: PasswordSource | null
  readonly signal: AbortSignal
}

/** What a command about studies works with; closed when it ends. */
interface Desk {
  readonly folder: SiteFolder
  readonly chain: EthersChain
}

async function atDesk<T>({ folder, password, signal }: StudyCall, work: (desk: Desk) => Promise<T>): Promise<T> {
  const opened = await openSiteFolder(folder, password)
  const chain = await connectSite(opened, signal)
  try {
    return await work({ folder: opened, chain })
  } finally {
    await chain.stop()
  }
}

export { rulesOf } from '#app/protocol/study-rules.ts'

/** Puts the protocol in this site's store, from which its node serves it, and its digest on chain. */
export function publishStudy(call: StudyCall, protocol: Protocol): Promise<{ readonly study: StudyId; readonly digest: string }> {
  return atDesk(call, async ({ folder, chain }) => {
    await ownRecord(chain)
    const store = await openOfflineStore(folder.paths.blocks)
    const bytes = encodeProtocol(protocol)
    const cid = await store.putPlain(bytes, call.signal)
    const digest = protocolDigest(protocol, sha256)
    const desk = studyDesk(chain.link, folder.vault.nodeKey)
    const study = await desk.publish(digest, cid, await rulesOf(protocol))
    // Nobody can approve it before: `approveStudy` asks for the policy that belongs to the protocol.
    if (isPrivate(protocol)) await desk.setPolicy(study, policyWords(protocol.privacy))
    return { study, digest }
  })
}

/** The protocol of a study from this site's own store, checked against the chain; its node has fetched it. @throws ROTA-1207, ROTA-5501 */
export async function protocolOf(desk: { folder: Pick<SiteFolder, 'paths'> }, record: StudyRecord, signal: AbortSignal): Promise<Protocol> {
  const store = await openOfflineStore(desk.folder.paths.blocks)
  if (!(await store.has(record.protocolCid))) throw new RotaError('ROTA-1207', { study: record.id })
  return fetchProtocol({ store, sha256 }, record, signal)
}

/** Waits for what lies elsewhere until the node has brought it to this disk: it may be about to. @throws what `read` throws last */
async function arriving<T>(read: () => Promise<T>, signal: AbortSignal): Promise<T> {
  const untilMs = systemClock.nowMs() + ARRIVAL_WAIT_MS
  for (;;) {
    try {
      return await read()
    } catch (error) {
      if (!(isRotaError(error, 'ROTA-1207') || isRotaError(error, 'ROTA-4010')) || systemClock.nowMs() > untilMs) throw error
    }
    await systemClock.sleep(KEY_LOOK_MS, signal)
  }
}

/**
 * The steward's yes to exactly this digest.
 * @throws ROTA-5302 when nodes cannot take part in such a study; 5314 when the chain charges for it otherwise than its protocol says; 6014, 6015 when the programme's terms are for another lawful basis, or expired; 1207 when the protocol has not come to this site
 */
export function approveStudy(call: StudyCall & { readonly study: StudyId; readonly stewardPassword: PasswordSource | null }): Promise<void> {
  return asSteward(call, async (desk, record, { folder, chain }) => {
    const protocol = await arriving(() => protocolOf({ folder }, record, call.signal), call.signal)
    checkOffered(protocol)
    const breach = termsAgainst(record.id, protocol, await newestTerms(chain, protocol.programme), systemClock.nowMs())
    if (breach !== null) throw breach
    const broken = brokenPolicy(record.id, protocol, await chain.policy(record.id))
    if (broken !== null) throw broken
    await desk.approve(call.study, record.protocolDigest)
  })
}

/** The steward takes the own site out, at once. */
export function withdrawFromStudy(call: StudyCall & { readonly study: StudyId; readonly stewardPassword: PasswordSource | null }): Promise<void> {
  return asSteward(call, (desk) => desk.withdrawSite(call.study))
}

function asSteward(
  call: StudyCall & { readonly study: StudyId; readonly stewardPassword: PasswordSource | null },
  act: (desk: ReturnType<typeof studyDesk>, record: StudyRecord, at: Desk) => Promise<void>,
): Promise<void> {
  return atDesk(call, async ({ folder, chain }) => {
    const source = call.stewardPassword ?? passwordSource(folder.config, call.folder, call.password)
    const { privateKey } = await openAccount(folder.paths.steward, readPassword(source))
    await act(studyDesk(chain.link, privateKey), await chain.study(call.study), { folder, chain })
  })
}

const KEY_WAIT_MS = 15_000
const ARRIVAL_WAIT_MS = 15_000
const KEY_LOOK_MS = 200

export interface StartCall extends StudyCall {
  readonly study: StudyId
  /** Start although the last canary says that the limits are too short. */
  readonly despiteCanary?: boolean
  /** Where a withdrawal halts it, this site's node opens another by itself. */
  readonly again?: boolean
}

export interface StartedRun {
  readonly run: RunId
  readonly sites: readonly number[]
  /** What this site's last canary of the study said; null when none was run. */
  readonly canary: CanaryVerdict | null
}

/**
 * Opens a run: the initial model is made of the protocol alone, or is the one that it names of another run. Waits a moment for the key of
 * the current membership, which one of the nodes draws.
 * @throws ROTA-1208 when too few sites approved, or no node drew a key; 1207, 4010 when what it needs has not come to this site; 1401 when the
 * last canary says that it could not finish
 */
export function startRun(call: StartCall): Promise<StartedRun> {
  return atDesk(call, async ({ folder, chain }) => {
    const own = await ownRecord(chain)
    const record = await keyedRecord(chain, call.study, call.signal)
    if (!has(record.approved, own.id))
      throw new RotaError('ROTA-1208', {
        study: call.study,
        reason: 'this site has not approved it',
        remedy: `Its steward does so with \`rota study approve ${call.study}\`.`,
      })
    const kept = await keptCanary(folder.paths, call.study, record.protocolDigest)
    const canary = kept === null ? null : verdictOf(kept)
    if (canary !== null && call.despiteCanary !== true) checkStart(call.study, canary)
    const protocol = await arriving(() => protocolOf({ folder }, record, call.signal), call.signal)
    const store = await openOfflineStore(folder.paths.blocks)
    const parts = { chain, store, vault: folder.vault, sha256, host: { random: systemRandom, clock: systemClock } }
    const keys = createKeyring(parts, call.study, protocol)
    const key = await arriving(() => keys.key(record.epoch.epoch, call.signal), call.signal)
    const bytes = encodeModel((await arriving(() => learnerOf(parts, protocol, call.signal), call.signal)).initial())
    const outline = outlineOf(bytes, sha256)
    const { root, cid } = await store.put(bytes, outline, 'model', key, call.signal)
    const run = await chain.openRun(call.study, { root, cid })
    await noteOpenedRun(folder.paths.opened, { run, study: call.study, model: { root, cid }, ...(call.again === true ? { again: true } : {}) })
    return { run, sites: sitesOf(record.approved), canary }
  })
}

async function keyedRecord(chain: EthersChain, study: StudyId, signal: AbortSignal): Promise<StudyRecord> {
  const untilMs = systemClock.nowMs() + KEY_WAIT_MS
  for (;;) {
    const record = await chain.study(study)
    const { rules, approved } = record
    if (sizeOf(approved) < rules.minSites)
      throw new RotaError('ROTA-1208', {
        study,
        reason: `${sizeOf(approved)} of at least ${rules.minSites} sites approved it`,
        remedy: 'Ask the other stewards: `rota study show` says who is missing.',
      })
    if (record.epoch.members === approved && approved !== 0n) return record
    if (systemClock.nowMs() > untilMs)
      throw new RotaError('ROTA-1208', {
        study,
        reason: 'no node has drawn the key of the present members yet',
        remedy: 'At least one approved site must be running (`rota run`); then try again.',
      })
    await systemClock.sleep(KEY_LOOK_MS, signal)
  }
}

/** A study's number as a person types it. @throws ROTA-1205 */
export function studyNumber(text: string): StudyId {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new RotaError('ROTA-1205', { kind: 'study', name: text, command: 'rota study list' })
  return studyId(Number(text))
}
