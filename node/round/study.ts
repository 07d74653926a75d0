import { toDigest } from '#base/bytes.ts'
import type { Digest, StudyId } from '#base/ids.ts'
import { type Outline, outlineOf } from '#core/commit/outline.ts'
import type { Learner } from '#core/learner/learner.ts'
import type { Model } from '#core/model/model.ts'
import { mayRest, type Protocol } from '#core/protocol/protocol.ts'
import type { StudyRecord } from '#ports/chain.ts'
import { encodeModel } from '#wire/model.ts'
import { programmeId } from '#wire/programme.ts'
import { watchChanges } from './change-watch.ts'
import { fetchProtocol } from './fetch-protocol.ts'
import { createKeyring, type Keyring } from './keyring.ts'
import type { Site } from './site.ts'
import { learnerOf } from './start-model.ts'

/** A study as this site works with it: the approved protocol, its learner, the keys of its epochs. */
export interface Study {
  readonly id: StudyId
  readonly protocol: Protocol
  readonly learner: Learner
  readonly keys: Keyring
  /** Digest of the consent programme's name: what ConsentRegistry knows it by. */
  readonly programme: Digest
  /** Any withdrawal halts it (DESIGN section 8). */
  readonly exact: boolean
  record(): Promise<StudyRecord>
}

/** An exact study in which a site's patients may rest, and in which others halt a run for it. */
export const restsPatients = ({ exact, protocol }: Pick<Study, 'exact' | 'protocol'>): boolean => exact && mayRest(protocol)

/** Fetches the protocol and what it begins with. @throws as `fetchProtocol` and `learnerOf` */
export async function loadStudy(site: Site, id: StudyId, signal: AbortSignal): Promise<Study> {
  const record = await site.chain.study(id)
  const protocol = await fetchProtocol(site, record, signal)
  return {
    id,
    protocol,
    learner: await learnerOf(site, protocol, signal),
    keys: createKeyring(site, id, protocol),
    programme: programmeId(protocol.programme, site.sha256),
    exact: record.rules.exact,
    record: recordOf(site, id),
  }
}

const CHANGES = ['StudyApproved', 'StudyWithdrawn', 'EpochPublished', 'EpochReported'] as const
/** Not everything that changes a record is an event. */
const READ_AGAIN_MS = 1_000

/** The study on chain, read again when an event changed it, and now and then. */
function recordOf(site: Site, id: StudyId): () => Promise<StudyRecord> {
  const changes = watchChanges(site.chain, CHANGES)
  let known: { readonly untilMs: number; readonly record: StudyRecord } | null = null
  return async () => {
    if (await changes.changed()) known = null
    const now = site.host.clock.nowMs()
    if (known === null || now >= known.untilMs) known = { untilMs: now + READ_AGAIN_MS, record: await site.chain.study(id) }
    return known.record
  }
}

/** A model with its name on chain: the root of its canonical bytes. */
export interface BaseModel {
  readonly model: Model
  readonly root: Digest
  /** No other site of this process holds a part of it. */
  readonly isOwn?: boolean
}

export interface NamedModel extends BaseModel {
  readonly bytes: Uint8Array
  readonly outline: Outline
}

export function nameModel(model: Model, { sha256 }: Pick<Site, 'sha256'>): NamedModel {
  const bytes = encodeModel(model)
  const outline = outlineOf(bytes, sha256)
  return { model, bytes, outline, root: outline.root }
}

/** The model that a run starts from is made of the protocol alone, or is the one that it names of another run: whoever opens the run cannot choose it. */
export const initialModel = (study: Study, site: Pick<Site, 'sha256'>): NamedModel => nameModel(study.learner.initial(), site)

/** H(siteId, H(1 ‖ model bytes)): cannot be echoed by one who lacks the bytes, and every holder can check it. */
export const ownProof = (site: Pick<Site, 'id' | 'sha256'>, bytes: Uint8Array): Digest =>
  toDigest(site.sha256(Uint8Array.of(site.id), site.sha256(Uint8Array.of(1), bytes)))
