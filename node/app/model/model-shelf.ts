import type { EthersChain } from '#adapters/chain/ethers-chain.ts'
import { systemClock, systemRandom } from '#adapters/host/system-host.ts'
import { RotaError } from '#base/errors.ts'
import type { Digest, RunId, StudyId } from '#base/ids.ts'
import type { Model } from '#core/model/model.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import type { ModelStore } from '#ports/model-store.ts'
import type { Vault } from '#ports/vault.ts'
import { fetchProtocol } from '#round/fetch-protocol.ts'
import { createKeyring, type Keyring } from '#round/keyring.ts'
import { END_KINDS, standingEnds } from '#round/round-ends.ts'
import { learnerOf } from '#round/start-model.ts'
import { nameModel } from '#round/study.ts'
import { decodeModel } from '#wire/model.ts'
import { sha256 } from '../sha256.ts'

export interface ShelfParts {
  readonly chain: EthersChain
  readonly store: ModelStore
  readonly vault: Pick<Vault, 'encryptionKey' | 'wrap' | 'unwrap' | 'seal' | 'open' | 'nodeAccount' | 'keyedDigest'>
}

/** Models of all runs by their names on chain, as this site can read them. */
export interface ModelShelf {
  protocol(study: StudyId, signal: AbortSignal): Promise<Protocol>
  /** Null when neither this disk nor a member has it within the signal's time. */
  model(run: RunId, root: Digest, signal: AbortSignal): Promise<Model | null>
}

interface Shelved {
  readonly protocol: Protocol
  readonly keys: Keyring
  readonly initial: { readonly root: Digest; readonly model: Model }
}

/** Models kept in memory: a line about a round compares two. */
const KEEP = 4

/** @param limitBytes larger models are not read: `model` gives null */
export function openShelf(parts: ShelfParts, limitBytes = Number.POSITIVE_INFINITY): ModelShelf {
  const studies = new Map<StudyId, Shelved>()
  const models = new Map<string, Model>()

  async function study(id: StudyId, signal: AbortSignal): Promise<Shelved> {
    const known = studies.get(id)
    if (known !== undefined) return known
    const fresh = await shelve(parts, id, signal)
    studies.set(id, fresh)
    return fresh
  }

  async function fetch(run: RunId, root: Digest, signal: AbortSignal): Promise<Model | null> {
    const events = await parts.chain.events(0, { run, kinds: ['RunOpened', 'RoundOpened', ...END_KINDS] })
    const opened = events.find((e) => e.kind === 'RunOpened')
    if (opened?.kind !== 'RunOpened') return null
    const { keys, initial } = await study(opened.study, signal)
    if (initial.root === root) return initial.model
    // What a dispute struck is no model of the run.
    const closed = standingEnds(events).findLast((e) => e.kind !== 'RoundVoid' && e.modelRoot === root)
    if (closed === undefined || closed.kind === 'RoundVoid') return null
    const round = events.find((e) => e.kind === 'RoundOpened' && e.round === closed.round)
    if (round?.kind !== 'RoundOpened') return null
    if (limitBytes !== Number.POSITIVE_INFINITY && (await parts.store.getSealed(closed.modelCid, limitBytes)) === null) return null
    return decodeModel(await parts.store.get({ cid: closed.modelCid, kind: 'model', root }, await keys.key(round.epoch, signal), signal))
  }

  return {
    protocol: async (id, signal) => (await study(id, signal)).protocol,
    async model(run, root, signal) {
      const known = models.get(root)
      if (known !== undefined) return known
      const model = await fetch(run, root, signal)
      if (model !== null) models.set(root, model)
      const oldest = models.keys().next().value
      if (models.size > KEEP && oldest !== undefined) models.delete(oldest)
      return model
    },
  }
}

async function shelve({ chain, store, vault }: ShelfParts, id: StudyId, signal: AbortSignal): Promise<Shelved> {
  const protocol = await fetchProtocol({ store, sha256 }, await chain.study(id), signal)
  const site = { chain, store, vault, sha256, host: { random: systemRandom, clock: systemClock } }
  const { root, model } = nameModel((await learnerOf(site, protocol, signal)).initial(), { sha256 })
  return { protocol, keys: createKeyring(site, id, protocol), initial: { root, model } }
}

/** A model that lies here; null when its bytes, its study's protocol or its key have not reached this disk. */
export async function heldModel(shelf: ModelShelf, run: RunId, root: Digest, signal: AbortSignal): Promise<Model | null> {
  try {
    return await shelf.model(run, root, signal)
  } catch (error) {
    if (error instanceof RotaError && (error.code.startsWith('ROTA-40') || error.code === 'ROTA-1312')) return null
    throw error
  }
}
