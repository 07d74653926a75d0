import { sitesOf } from '#base/bitmap.ts'
import type { Digest } from '#base/ids.ts'
import type { FaultList } from './fault-list.ts'
import { fewAtOnce } from './few-at-once.ts'
import { firstDifferentLeaf, rootOf } from './merkle-tree.ts'
import { remainderOf, sumOf } from './ring-words.ts'
import { type RoundInput, slicesIn } from './round-input.ts'
import { type EventOf, eventsOf } from './run-log.ts'
import { type Finding, findObject, type NamedObject } from './stored-object.ts'

/** The sum that the round went on with. */
export interface SumOutcome {
  /** With the published root; null when neither updates nor the stored sum give it. */
  readonly bytes: Uint8Array | null
  /** Added up from every update of the frozen set. */
  readonly recomputed: boolean
  /** As they are stored. */
  readonly updates: readonly Finding[]
}

/** Adds the frozen set's updates up again and compares with what was published and with what is stored. */
export async function verifySum(input: RoundInput, published: EventOf<'Published'>, faults: FaultList): Promise<SumOutcome> {
  const key = input.key.key
  if (key === null) return { bytes: null, recomputed: false, updates: [] }
  const wordBits = input.study.protocol?.arithmetic.wordBits ?? 64
  const slices = slicesIn(input)
  const updates = await findUpdates(input, key, slices, faults)
  const stored = await findObject(input.sources, { kind: 'sum', cid: published.sumCid, root: published.sumRoot, site: published.site, slices }, key)
  const readable = updates.flatMap((update) => (update.bytes === null ? [] : [update.bytes]))
  const added = readable.length === updates.length && updates.length > 0 ? sumOf(readable, wordBits) : null
  if (readable.length === updates.length && added === null) faults.add('sum', 'the updates of the set differ in length: they have no sum')
  faults.object(stored, added && { bytes: added, named: 'the recomputed sum' })
  for (const update of updates) faults.object(update, expectedUpdate(update, updates, stored, wordBits))
  const root = added && rootOf(added)
  if (added !== null && root !== null && root !== published.sumRoot) tellWrong(added, root, published, stored, faults)
  if (root !== null) checkDiscarded(input, root, faults)
  if (root === published.sumRoot) return { bytes: added, recomputed: true, updates }
  if (stored.bytes === null && stored.damaged.length === 0) faults.note('neither its sum nor every update is in the stores')
  return { bytes: stored.bytes, recomputed: false, updates }
}

async function findUpdates({ round, sources }: RoundInput, key: Uint8Array, slices: number, faults: FaultList): Promise<Finding[]> {
  const contributed = new Map(eventsOf(round, 'Contributed').map((event) => [event.site, event]))
  const named: NamedObject[] = []
  for (const site of round.frozen ? sitesOf(round.frozen.included) : []) {
    const event = contributed.get(site)
    if (event === undefined) faults.add('set', `site ${site} is in the set and contributed nothing`)
    else named.push({ kind: 'update', cid: event.cid, root: event.root, site, slices })
  }
  return fewAtOnce(named, (object) => findObject(sources, object, key))
}

/** The published sum less all other updates is the one that cannot be read; null for one that can. */
function expectedUpdate(update: Finding, all: readonly Finding[], sum: Finding, wordBits: 32 | 64) {
  const others = all.filter((other) => other !== update).map((other) => other.bytes)
  if (update.bytes !== null || sum.bytes === null || others.includes(null)) return null
  const bytes = remainderOf(sum.bytes, others as Uint8Array[], wordBits)
  return bytes !== null && rootOf(bytes) === update.object.root ? { bytes, named: 'the sum less the other updates' } : null
}

function tellWrong(added: Uint8Array, root: Digest, published: EventOf<'Published'>, stored: Finding, faults: FaultList): void {
  const leaf = stored.bytes && firstDifferentLeaf(stored.bytes, added)
  const where = leaf === null ? 'the published sum itself is not in the store' : `leaf ${leaf} of the published sum differs`
  const object = { kind: 'sum' as const, cid: published.sumCid, site: published.site }
  faults.add('sum', `the updates add up to ${root}, site ${published.site} published ${published.sumRoot}: ${where}`, { object, leaf })
}

/** A publication that was voted down, or disputed, as a wrong sum should have been one. @param root of the set's sum */
function checkDiscarded({ round }: RoundInput, root: Digest, faults: FaultList): void {
  const publications = eventsOf(round, 'Published')
  for (const discarded of eventsOf(round, 'PublicationDiscarded')) {
    const published = publications.find((event) => event.attempt === discarded.attempt)
    if (!discarded.wrongSum || published === undefined) continue
    const wrong = published.sumRoot !== root
    faults.note(
      `site ${discarded.publisher}'s publication ${discarded.attempt} was discarded as a wrong sum, ${wrong ? 'and it was one' : 'yet it is the sum of the set'}`,
    )
  }
}
