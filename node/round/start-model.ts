import { RotaError } from '#base/errors.ts'
import { type Digest, roundNo, runId } from '#base/ids.ts'
import { merkleRoot } from '#core/commit/merkle.ts'
import type { Learner } from '#core/learner/learner.ts'
import { learnerFor } from '#core/learner/learner-for.ts'
import type { Model } from '#core/model/model.ts'
import type { Protocol, StartModel } from '#core/protocol/protocol.ts'
import { decodeModel, encodeModel } from '#wire/model.ts'
import { fetchProtocol } from './fetch-protocol.ts'
import { createKeyring, type KeySite } from './keyring.ts'
import { followLineage, LINEAGE_KINDS } from './lineage.ts'

/**
 * The learner of a protocol, with what its runs begin with: made of the protocol alone, or the model that it names of another run.
 * @throws ROTA-5514 when that run did not leave it; 4010 when nobody has it; 1312 for a site that cannot read that run's models
 */
export async function learnerOf(site: KeySite, protocol: Protocol, signal: AbortSignal): Promise<Learner> {
  const learner = learnerFor(protocol, site.sha256)
  if (protocol.start === undefined) return learner
  const model = await startModel(site, protocol.start, signal)
  return { ...learner, initial: () => model }
}

/** By the log of the run that is continued: what stewards approved is that run's model, not whatever has this name. */
async function startModel(site: KeySite, { run, round, root, cid }: StartModel, signal: AbortSignal): Promise<Model> {
  const { study } = await site.chain.run(runId(run))
  const protocol = await fetchProtocol(site, await site.chain.study(study), signal)
  const initial = merkleRoot(encodeModel((await learnerOf(site, protocol, signal)).initial()), site.sha256)
  const { models } = followLineage(await site.chain.events(0, { run: runId(run), kinds: LINEAGE_KINDS }), initial)
  const left = models.find((model) => model.round === roundNo(round) && model.root === root && model.cid === cid)
  if (left === undefined) throw new RotaError('ROTA-5514', { run, round, root })
  const key = await createKeyring(site, study, protocol).key(left.epoch, signal)
  return decodeModel(await site.store.get({ cid: left.cid, kind: 'model', root: root as Digest }, key, signal))
}
