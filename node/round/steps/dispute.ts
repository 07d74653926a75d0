import { has, sitesOf } from '#base/bitmap.ts'
import { RotaError } from '#base/errors.ts'
import type { Digest, SiteId } from '#base/ids.ts'
import { type DisputeEvidence, firstWrongLeaf, leafProof, sumProof } from '#core/commit/dispute.ts'
import { leafCount } from '#core/commit/merkle.ts'
import { RingAdder } from '#core/ring/add.ts'
import type { Publication, RoundView, RunView, StudyRules } from '#ports/chain.ts'
import type { EpochKey } from '#ports/model-store.ts'
import type { Site } from '../site.ts'

/** What a dispute needs of the site's world. */
export type Disputant = Pick<Site, 'chain' | 'store' | 'sha256'>

/** A publication that this site found wrong, and how its objects are kept. */
export interface DisputedSum {
  readonly rules: StudyRules
  readonly view: DisputedRound
  readonly key: EpochKey
  /** Into how many slices updates and sum are cut. */
  readonly cut: number
}

/** What of a run's round a dispute is about. */
export interface DisputedRound extends Pick<RunView, 'run'> {
  readonly round: Pick<RoundView, 'round' | 'openedAtBlock' | 'included'> & {
    readonly publication: Pick<Publication, 'publisher' | 'sumRoot' | 'sumCid'> | null
  }
}

interface Arrival {
  readonly site: SiteId
  readonly root: Digest
  readonly cid: Digest
}

/**
 * Shows the contract that a published sum is wrong, alone and whatever the others say; nothing where vectors are not masked, since a
 * leaf on chain would show what it sums up. Fetches each update of the frozen set twice, one at a time: no more than three vectors are in memory.
 * @returns whether it disputed: not when the sum is right after all
 * @throws ROTA-5508 when the chain does not name an update of the set (retry), ROTA-4xxx when one or the sum cannot be had, ROTA-51xx when the contract
 * refuses, as it does once others were faster (ignore)
 */
export async function disputeSum(site: Disputant, disputed: DisputedSum, signal: AbortSignal): Promise<boolean> {
  const { rules, view, key, cut } = disputed
  const { publication } = view.round
  if (rules.mode !== 'masked' || publication === null) return false
  const arrived = await contributionsOf(site, view)
  const included = arrived.filter((update) => has(view.round.included, update.site))
  if (included.length !== sitesOf(view.round.included).length) throw new RotaError('ROTA-5508', { run: view.run, round: view.round.round })
  const fetch = ({ cid, root, site: from }: Arrival) => site.store.get({ cid, root, kind: 'update', slices: cut }, key, signal, [from])
  const published = await site.store.get({ cid: publication.sumCid, root: publication.sumRoot, kind: 'sum', slices: cut }, key, signal, [publication.publisher])
  const truth = await addAll(included, rules.wordBits, fetch)
  const leaf = firstWrongLeaf(truth, published)
  if (leaf === null) return false
  const leaves = leafCount(truth.length)
  const proofs: DisputeEvidence['updates'][number][] = []
  for (const update of included) proofs.push(leafProof(await fetch(update), leaf, site.sha256))
  const sum = sumProof(published, leaf, leaves, site.sha256)
  await site.chain.dispute(view.run, view.round.round, { wordBits: rules.wordBits, leaf, leaves, contributions: arrived, updates: proofs, sum })
  return true
}

/** In order of arrival, as the chain's accumulator took them. */
async function contributionsOf({ chain }: Disputant, { run, round }: DisputedRound): Promise<Arrival[]> {
  const events = await chain.events(round.openedAtBlock, { run, kinds: ['Contributed'] })
  return events.flatMap((e) => (e.kind === 'Contributed' && e.round === round.round ? [{ site: e.site, root: e.root, cid: e.cid }] : []))
}

async function addAll(updates: readonly Arrival[], wordBits: 32 | 64, fetch: (update: Arrival) => Promise<Uint8Array>): Promise<Uint8Array> {
  let adder: RingAdder | null = null
  for (const update of updates) {
    const bytes = await fetch(update)
    adder ??= new RingAdder(wordBits, bytes.length)
    adder.add(bytes)
  }
  return adder?.sum.bytes ?? new Uint8Array(0)
}
