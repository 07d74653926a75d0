import { EMPTY } from '#base/bitmap.ts'
import type { Attempt, Digest, RoundNo, RunId, SiteId } from '#base/ids.ts'
import { ZERO_DIGEST } from '#base/ids.ts'
import { outlineOf } from '#core/commit/outline.ts'
import type { Chain } from '#ports/chain.ts'
import type { ModelStore } from '#ports/model-store.ts'
import { silentChain } from './crashing.ts'
import type { FaultPlan, Lie } from './faults.ts'
import type { SimGossip } from './gossip.ts'
import { digestOf, sha256 } from './hash.ts'
import { lying, replacing } from './liar.ts'
import {
  changingShares,
  choosingHolders,
  dealingTwice,
  falseJustifications,
  garblingParcels,
  hiding,
  leavingOut,
  otherShares,
  poisoned,
  withholdingParcels,
} from './masking-lies.ts'
import type { SimRandom } from './random.ts'
import { changingWords, forgingSlices, otherUnits } from './slice-lies.ts'
import type { SimTime } from './time.ts'
import { claimingUnheld, denyingHeld } from './witness-lies.ts'

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

/** Whatever a lie needs, and who counts that one was told. */
export interface LiarsWorld {
  readonly time: SimTime
  readonly random: SimRandom
  readonly strike?: (lie: Lie) => void
}

/** The same voice, telling these lies; an honest node speaks with it. */
export function speaking(lies: ReadonlySet<Lie>, voice: Voice, world: LiarsWorld): Voice {
  let spoken = voice
  for (const lie of lies) spoken = TELL[lie]?.(spoken, { ...world, strike: () => world.strike?.(lie) }) ?? spoken
  return spoken
}

type Tell = (voice: Voice, world: { readonly time: SimTime; readonly random: SimRandom; readonly strike: () => void }) => Voice

const withChain = (voice: Voice, methods: Partial<Chain>): Voice => ({ ...voice, chain: replacing(voice.chain, methods) })

/** Lies that are told by what the site sends; the others lie in the network (equivocation), in the store's answers or beside the node (spam). */
const TELL: Partial<Record<Lie, Tell>> = {
  'wrong-sum': (voice, { strike }) => ({ ...voice, ...lying(voice.chain, voice.store, strike) }),
  'wrong-root': (voice, { strike }) =>
    withChain(voice, {
      publish: struck(strike, (run, round, attempt, root, cid) => voice.chain.publish(run, round, attempt, digestOf('no bytes', root), cid)),
    }),
  'wrong-cid': (voice, { strike }) =>
    withChain(voice, { publish: struck(strike, (run, round, attempt, root) => voice.chain.publish(run, round, attempt, root, root)) }),
  'garbage-vector': (voice, { random, strike }) => otherVector(voice, (bytes) => random.bytes(bytes.length - (random.chance(0.5) ? 1 : 0)), strike),
  'hidden-garbage': (voice, { random, strike }) => otherVector(voice, (bytes) => hiding(bytes, () => random.bytes(4)), strike, 2),
  'hidden-poison': (voice, { strike }) => otherVector(voice, poisoned, strike, 2),
  'withheld-vector': (voice, { strike }) => ({
    ...voice,
    gossip: replacing(voice.gossip, { publish: struck(strike, async () => 0), start: (judge, deliver) => voice.gossip.start(judge, deliver) }),
  }),
  'wrong-slice-word': (voice, { strike }) => ({ ...voice, gossip: changingWords(voice.gossip, struck(strike, otherUnits)) }),
  'wrong-slice': (voice, { strike }) => ({ ...voice, ...forgingSlices(voice, false, strike) }),
  'two-slices': (voice, { strike }) => ({ ...voice, ...forgingSlices(voice, true, strike) }),
  'withheld-slice-word': (voice, { strike }) => ({
    ...voice,
    gossip: changingWords(
      voice.gossip,
      struck(strike, () => null),
    ),
  }),
  'garbage-deal': (voice, { random, strike }) => ({ ...voice, store: garblingParcels(voice.store, voice.gossip.site, random, strike) }),
  'chosen-holders': (voice, { strike }) => ({
    ...voice,
    store: choosingHolders(voice.store, voice.gossip.site, strike),
    gossip: changingShares(voice.gossip, () => null),
  }),
  'withheld-parcel': (voice, { strike }) => ({ ...voice, store: withholdingParcels(voice.store, voice.gossip.site, strike) }),
  'two-deals': (voice, { strike }) => ({ ...voice, gossip: dealingTwice(voice.gossip, strike) }),
  'leaves-out': (voice, { time, random, strike }) => ({
    ...voice,
    chain: silentChain(leavingOut(voice.chain, voice.gossip.site, random, strike), 'contribute', time, strike),
  }),
  'false-complaints': (voice, { strike }) =>
    withChain(voice, { key: struck(strike, (run, round, dealDigest, dealCid) => voice.chain.key(run, round, dealDigest, dealCid, EMPTY, '0x')) }),
  'false-justification': (voice, { random, strike }) => withChain(voice, { justify: falseJustifications(voice.chain, random, strike) }),
  'wrong-share': (voice, { strike }) => ({ ...voice, gossip: changingShares(voice.gossip, struck(strike, otherShares)) }),
  'withheld-shares': (voice, { strike }) => ({
    ...voice,
    gossip: changingShares(
      voice.gossip,
      struck(strike, () => null),
    ),
  }),
  'false-pairs': (voice, { time, strike }) => ({ ...voice, chain: silentChain(voice.chain, 'contribute', time, strike) }),
  'withheld-publication': (voice, { time, strike }) => ({ ...voice, chain: silentChain(voice.chain, 'publish', time, strike) }),
  'claims-unheld': (voice, { strike }) => ({ ...voice, chain: claimingUnheld(voice.chain, strike) }),
  'denies-held': (voice, { random, strike }) => ({ ...voice, chain: denyingHeld(voice.chain, random, strike) }),
  'witnesses-nothing': (voice, { time, strike }) => ({ ...voice, chain: silentChain(voice.chain, 'witness', time, strike) }),
  'cries-wrong-sum': (voice, { strike }) =>
    withChain(voice, {
      attest(run, round, attempt, _, status) {
        if (status !== 'wrongSum') strike()
        return voice.chain.attest(run, round, attempt, { root: ZERO_DIGEST, cid: ZERO_DIGEST }, 'wrongSum', ZERO_DIGEST)
      },
    }),
  'bears-out-wrong-sum': (voice, { strike }) =>
    withChain(voice, {
      attest(run, round, attempt, model, status, own) {
        if (status !== 'wrongSum') return voice.chain.attest(run, round, attempt, model, status, own)
        strike()
        const forged = digestOf('a model of a wrong sum', run, round)
        return voice.chain.attest(run, round, attempt, { root: forged, cid: forged }, 'continue', own)
      },
      dispute: async () => undefined,
    }),
  'echoes-attestation': echoing,
}

const LISTENS_MS = 500
const LISTENS_TIMES = 6

/** Whoever takes a wrong sum for right is not alone then: the liars say just the same. Where nobody does, it says what it found. */
function echoing(voice: Voice, { time, strike }: { readonly time: SimTime; readonly strike: () => void }): Voice {
  const heard = async (run: RunId, round: RoundNo, attempt: Attempt) => {
    const events = await voice.chain.events(0, { run, kinds: ['Attested'] })
    const others = events.filter((e) => e.kind === 'Attested' && e.round === round && e.attempt === attempt && e.status !== 'wrongSum')
    return others[0]?.kind === 'Attested' ? others[0] : null
  }
  return withChain(voice, {
    async attest(run, round, attempt, model, status, own) {
      if (status !== 'wrongSum') return voice.chain.attest(run, round, attempt, model, status, own)
      let other = await heard(run, round, attempt)
      for (let times = 0; other === null && times < LISTENS_TIMES; times++) {
        await time.sleep(LISTENS_MS)
        other = await heard(run, round, attempt)
      }
      if (other === null) return voice.chain.attest(run, round, attempt, model, status, own)
      strike()
      return voice.chain.attest(run, round, attempt, { root: other.modelRoot, cid: other.modelCid }, other.status, other.own)
    },
  })
}

/** The same call, counted. */
const struck =
  <A extends unknown[], R>(strike: () => void, act: (...args: A) => R) =>
  (...args: A): R => {
    strike()
    return act(...args)
  }

/** Other bytes in the place of each update, from this round of a run on. */
function otherVector(voice: Voice, change: (bytes: Uint8Array) => Uint8Array, strike: () => void, from = 1): Voice {
  const forged = new Map<Digest, { readonly root: Digest; readonly cid: Digest }>()
  const put: ModelStore['put'] = async (plaintext, outline, kind, key, signal, slices) => {
    const kept = await voice.store.put(plaintext, outline, kind, key, signal, slices)
    if (kind !== 'update') return kept
    const other = change(plaintext)
    forged.set(outline.root, await voice.store.put(other, outlineOf(other, sha256), kind, key, signal, slices))
    return kept
  }
  const contribute: Chain['contribute'] = (run, round, root, cid, cohortRoot) => {
    const told = round < from ? undefined : forged.get(root)
    if (told !== undefined) strike()
    return voice.chain.contribute(run, round, told?.root ?? root, told?.cid ?? cid, cohortRoot)
  }
  return { ...withChain(voice, { contribute }), store: replacing(voice.store, { put }) }
}
