import type { Digest, SiteId } from '#base/ids.ts'
import { ZERO_DIGEST } from '#base/ids.ts'
import { outlineOf } from '#core/commit/outline.ts'
import type { Chain } from '#ports/chain.ts'
import type { ModelStore } from '#ports/model-store.ts'
import { decodeMessage } from '#wire/message.ts'
import { encodeSliceWord } from '#wire/slice-word.ts'
import { silentChain } from './crashing.ts'
import type { FaultPlan, Lie } from './faults.ts'
import type { SimGossip } from './gossip.ts'
import { digestOf, sha256 } from './hash.ts'
import { lying, replacing } from './liar.ts'
import type { SimRandom } from './random.ts'
import type { SimTime } from './time.ts'

/** What a site says to others, before it leaves. */
export interface Voice {
  readonly chain: Chain
  readonly store: ModelStore
  readonly gossip: SimGossip
}

/** All that a site does on purpose, in whichever list of the plan it stands. */
export function liesOf(faults: FaultPlan, site: SiteId): ReadonlySet<Lie> {
  const lies = new Set<Lie>(faults.lies.flatMap((entry) => (entry.site === site ? [entry.lie] : [])))
  if (faults.liars.includes(site)) lies.add('wrong-sum')
  if (faults.silent.includes(site)) lies.add('withheld-publication')
  return lies
}

/** The same voice, telling these lies; an honest node speaks with it. */
export function speaking(lies: ReadonlySet<Lie>, voice: Voice, world: { readonly time: SimTime; readonly random: SimRandom }): Voice {
  let spoken = voice
  for (const lie of lies) spoken = TELL[lie]?.(spoken, world) ?? spoken
  return spoken
}

type Tell = (voice: Voice, world: { readonly time: SimTime; readonly random: SimRandom }) => Voice

const withChain = (voice: Voice, methods: Partial<Chain>): Voice => ({ ...voice, chain: replacing(voice.chain, methods) })

/** Lies that are told by what the site sends; the others lie in the network (equivocation) or beside the node (spam). */
const TELL: Partial<Record<Lie, Tell>> = {
  'wrong-sum': (voice) => ({ ...voice, ...lying(voice.chain, voice.store) }),
  'wrong-root': (voice) =>
    withChain(voice, { publish: (run, round, attempt, root, cid) => voice.chain.publish(run, round, attempt, digestOf('no bytes', root), cid) }),
  'wrong-cid': (voice) => withChain(voice, { publish: (run, round, attempt, root) => voice.chain.publish(run, round, attempt, root, root) }),
  'garbage-vector': garbageVector,
  'withheld-vector': (voice) => ({ ...voice, gossip: replacing(voice.gossip, { publish: async () => 0 }) }),
  'wrong-slice-word': (voice) => ({ ...voice, gossip: replacing(voice.gossip, { publish: (message) => voice.gossip.publish(otherWord(message)) }) }),
  'withheld-publication': (voice, { time }) => ({ ...voice, chain: silentChain(voice.chain, time) }),
  'cries-wrong-sum': (voice) =>
    withChain(voice, {
      attest: (run, round, attempt) => voice.chain.attest(run, round, attempt, { root: ZERO_DIGEST, cid: ZERO_DIGEST }, 'wrongSum', ZERO_DIGEST),
    }),
  'bears-out-wrong-sum': (voice) =>
    withChain(voice, {
      attest(run, round, attempt, model, status, own) {
        const forged = digestOf('a model of a wrong sum', run, round)
        const told = status === 'wrongSum' ? { root: forged, cid: forged } : model
        return voice.chain.attest(run, round, attempt, told, status === 'wrongSum' ? 'continue' : status, own)
      },
    }),
}

/** The same word with another root for its first unit; what is no word stays as it is. */
function otherWord(message: Uint8Array): Uint8Array {
  const said = decodeMessage(message)
  if (said.kind !== 'slice') return message
  const [first, ...units] = said.units
  return first === undefined ? message : encodeSliceWord({ ...said, units: [digestOf('another', first), ...units] })
}

/** Random bytes in the place of each update, every other time a byte short. */
function garbageVector(voice: Voice, { random }: { readonly random: SimRandom }): Voice {
  const forged = new Map<Digest, { readonly root: Digest; readonly cid: Digest }>()
  const put: ModelStore['put'] = async (plaintext, outline, kind, key, signal, slices) => {
    const kept = await voice.store.put(plaintext, outline, kind, key, signal, slices)
    if (kind !== 'update') return kept
    const garbage = random.bytes(plaintext.length - (random.chance(0.5) ? 1 : 0))
    forged.set(outline.root, await voice.store.put(garbage, outlineOf(garbage, sha256), kind, key, signal, slices))
    return kept
  }
  const contribute: Chain['contribute'] = (run, round, root, cid, cohortRoot) => {
    const told = forged.get(root) ?? { root, cid }
    return voice.chain.contribute(run, round, told.root, told.cid, cohortRoot)
  }
  return { ...withChain(voice, { contribute }), store: replacing(voice.store, { put }) }
}
