import { resolve } from 'node:path'
import { patientDigest, usedDigest } from '#adapters/cohort/patient-digest.ts'
import { type PatientRow, readRows, toSplitTable } from '#adapters/cohort/read-rows.ts'
import { systemClock, systemRandom } from '#adapters/host/system-host.ts'
import { anyOf, tagsInRounds, type WhoseTag } from '#app/consent/consent-history.ts'
import { heldModel } from '#app/model/model-shelf.ts'
import { readMapping } from '#app/protocol/mapping-file.ts'
import { type AtSite, consentedNow, withdrawalsUnder } from '#app/site/at-site.ts'
import { isRotaError } from '#base/errors.ts'
import type { Digest, RunId } from '#base/ids.ts'
import type { Table } from '#core/model/table.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import { learnerOf } from '#round/start-model.ts'
import { nameModel } from '#round/study.ts'
import { sha256 } from '../sha256.ts'
import { comparedRows } from './compared-rows.ts'
import type { JudgedRows, UnlearnSite } from './unlearn-site.ts'

/** What unlearning asks of a hospital, by its own folder. */
export function unlearnAt(site: AtSite, whose: readonly WhoseTag[], signal: AbortSignal): UnlearnSite {
  const { chain, own, shelf, store, folder } = site
  const parts = { chain, store, vault: folder.vault, sha256, host: { random: systemRandom, clock: systemClock } }
  return {
    id: own.id,
    name: own.name,
    chain,
    protocol: (study) => shelf.protocol(study, signal).catch(unlessTrouble),
    model: (run, root) => heldModel(shelf, run, root, signal),
    has: (cid) => store.has(cid),
    initialRoot: async (protocol) => nameModel((await learnerOf(parts, protocol, signal)).initial(), { sha256 }).root,
    contributions: async (programme) => anyOf(await tagsInRounds(site, programme, whose)),
    rows: (protocol, run, without) => judgedRows(site, protocol, run, without).catch(unlessTrouble),
  }
}

/** Nobody gives it just now, or it does not fit: then it is not there. */
function unlessTrouble(error: unknown): null {
  if (!isRotaError(error)) throw error
  return null
}

async function judgedRows(site: AtSite, protocol: Protocol, run: RunId, without: RunId): Promise<JudgedRows> {
  const { config, paths, vault, consents } = site.folder
  const mapping = await readMapping(config.data.mapping === undefined ? null : resolve(paths.folder, config.data.mapping), protocol)
  const { rows } = await readRows(resolve(paths.folder, config.data.file), mapping, protocol)
  const [standings, onChain] = await Promise.all([consents.standings(protocol.programme), withdrawalsUnder(site.chain, protocol.programme)])
  const [used, usedAfter] = await Promise.all([membersOf(site, run), membersOf(site, without)])
  const tagsOf = Map.groupBy(await consents.tags(protocol.programme), ([, { patient }]) => patient)
  const now = await consentedNow(site, protocol)
  const usedNow = new Set(now.patients)
  const named = rows.map((row) => {
    const digest = patientDigest(vault, row.patient)
    const names = [digest, ...(tagsOf.get(digest) ?? []).map(([each]) => each)]
    return { ...row, digest, names, mayBeUsed: usedNow.has(usedDigest(vault, row.patient, row.set)) }
  })
  const isWithdrawn = ({ digest, names, set }: (typeof named)[number]): boolean => {
    const { state = 'none', tag = null } = standings.get(digest) ?? {}
    const gone = state === 'withdrawn' || (tag !== null && onChain.has(tag))
    return gone && set === 'train' && names.some((name) => used.has(name)) && !names.some((name) => usedAfter.has(name))
  }
  const others = comparedRows(named, { before: used, after: usedAfter })
  return {
    withdrawn: tableOf(named.filter(isWithdrawn), protocol),
    others: tableOf(others.rows, protocol),
    othersAre: others.are,
    train: now.table.train,
  }
}

const tableOf = (rows: readonly PatientRow[], protocol: Protocol): Table =>
  toSplitTable(
    rows.map((row) => ({ ...row, set: 'train' })),
    protocol,
  ).train

/** Everybody who was in one of a run's cohorts here: tags or, under opt-out without one, digests. */
async function membersOf({ folder }: AtSite, run: RunId): Promise<ReadonlySet<Digest>> {
  return new Set((await folder.archive.cohorts({ run })).flatMap(({ members }) => members))
}
