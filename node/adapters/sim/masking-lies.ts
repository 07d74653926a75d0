import { sitesOf, without } from '#base/bitmap.ts'
import { fromHex } from '#base/bytes.ts'
import type { SiteId } from '#base/ids.ts'
import { outlineOf } from '#core/commit/outline.ts'
import type { MaskingCrypto } from '#core/masking/crypto.ts'
import { type HeldName, heldDealsOf, heldIn } from '#core/masking/held-deals.ts'
import { thresholdOf } from '#core/masking/threshold.ts'
import { SALT_BYTES } from '#core/ring/layout.ts'
import type { Chain } from '#ports/chain.ts'
import type { ModelStore } from '#ports/model-store.ts'
import { type DealFile, decodeDealFile, encodeDealFile } from '#wire/masking/deal-file.ts'
import { encodeDealWord } from '#wire/masking/deal-word.ts'
import { decodeJustification, hexOf } from '#wire/masking/justification.ts'
import { encodeRelease, type ReleaseMessage } from '#wire/masking/release.ts'
import { decodeMessage, encodeTogether, wordsApart } from '#wire/message.ts'
import type { Lie } from './faults.ts'
import type { SimGossip } from './gossip.ts'
import { sha256 } from './hash.ts'
import { replacing } from './liar.ts'
import { SimRandom } from './random.ts'

/** Changes the shares that a site shows before they leave, and when it is asked for them; null: they do not leave. Other words stay as they are. */
export function changingShares(gossip: SimGossip, change: (said: ReleaseMessage) => ReleaseMessage | null): SimGossip {
  const told = (message: Uint8Array): Uint8Array | null => {
    const words = wordsApart(message)
    const left = words.flatMap((word) => changed(word, change))
    if (left.length === words.length && left.every((word, i) => word === words[i])) return message
    return left.length === 0 ? null : encodeTogether(left)
  }
  return replacing(gossip, {
    async publish(message) {
      const left = told(message)
      return left === null ? 0 : gossip.publish(left)
    },
    start: (judge, deliver, answer) =>
      gossip.start(judge, deliver, (question, from) => {
        const said = answer?.(question, from) ?? null
        return said === null ? null : told(said)
      }),
  })
}

function changed(word: Uint8Array, change: (said: ReleaseMessage) => ReleaseMessage | null): Uint8Array[] {
  const said = saidIn(word)
  if (said?.kind !== 'release') return [word]
  const told = change(said)
  return told === null ? [] : [encodeRelease(told)]
}

/** A bit of each share is turned. */
export const otherShares = (said: ReleaseMessage): ReleaseMessage => ({
  ...said,
  release: { ...said.release, shares: said.release.shares.map((share) => share.map((byte, i) => (i === 0 ? byte ^ 1 : byte))) },
})

/** Half of the parcels of each deal are of random bytes where they should open. */
export function garblingParcels(store: ModelStore, site: SiteId, random: SimRandom, strike: () => void): ModelStore {
  const garbled = (parcel: Uint8Array): Uint8Array => {
    if (random.chance(0.5)) return parcel
    strike()
    const bytes = parcel.slice()
    bytes.set(random.bytes(32), bytes.length - 32)
    return bytes
  }
  return changingDeals(store, site, async (file) => {
    const parcels = file.parcels.map(garbled)
    return { ...file, parcels, index: { ...file.index, parcels: parcels.map((parcel) => sha256(parcel)) } }
  })
}

/** Of its parcels those of the last members do not open, as many as may be missing at once: to all others too few shares are left, should its friends show none. */
export function choosingHolders(store: ModelStore, site: SiteId, strike: () => void): ModelStore {
  return changingDeals(store, site, async (file) => {
    const holders = sitesOf(file.index.to)
    const missing = holders.length - thresholdOf(holders.length)
    const out = holders.filter((holder) => holder !== file.index.dealer).slice(-missing)
    strike()
    const parcels = file.parcels.map((parcel, i) => (out.includes(holders[i] as SiteId) ? otherSeal(parcel) : parcel))
    return { ...file, parcels, index: { ...file.index, parcels: parcels.map((parcel) => sha256(parcel)) } }
  })
}

const otherSeal = (parcel: Uint8Array): Uint8Array => parcel.map((byte, i) => (i === parcel.length - 1 ? byte ^ 1 : byte))

/** To every other member a deal that differs from what the rest hear: it opens just as well. */
export function dealingTwice(gossip: SimGossip, strike: () => void): SimGossip {
  const otherFor = (peer: SiteId): boolean => peer % 2 === 1
  const other = (message: Uint8Array): Uint8Array | null => {
    const words = wordsApart(message)
    const changed = words.map(otherDeal)
    return changed.every((word) => word === null) ? null : encodeTogether(changed.map((word, i) => word ?? (words[i] as Uint8Array)))
  }
  return replacing(gossip, {
    async publish(message) {
      const second = other(message)
      if (second === null) return gossip.publish(message)
      strike()
      const sent = await gossip.publish(message, (peer) => !otherFor(peer))
      return sent + (await gossip.publish(second, otherFor))
    },
    start: (judge, deliver, answer) =>
      gossip.start(judge, deliver, (question, from) => {
        const said = answer?.(question, from) ?? null
        return said === null || !otherFor(from) ? said : (other(said) ?? said)
      }),
  })
}

function otherDeal(word: Uint8Array): Uint8Array | null {
  const said = saidIn(word)
  if (said?.kind !== 'deal') return null
  const file = decodeDealFile(said.file)
  const selfCommitment = file.index.selfCommitment.map((byte) => byte ^ 1)
  return encodeDealWord({ ...said, file: encodeDealFile({ ...file, index: { ...file.index, selfCommitment } }) })
}

/** Says that it holds all deals but one. */
export const leavingOut = (chain: Chain, site: SiteId, random: SimRandom, strike: () => void): Chain =>
  replacing(chain, {
    key(run, round, dealDigest, dealCid, holds, heldDeals) {
      const held = heldIn({ site, holds, heldDeals })
      const out = random.pick([...held.keys()])
      strike()
      const left = without(holds, out)
      return chain.key(
        run,
        round,
        dealDigest,
        dealCid,
        left,
        heldDealsOf(left, (dealer) => held.get(dealer) as HeldName),
      )
    },
  })

/** Where it has shares to show it shows others, or none. */
export const falseJustifications =
  (chain: Chain, random: SimRandom, strike: () => void): Chain['justify'] =>
  (run, round, said) => {
    if (said === '0x') return chain.justify(run, round, said)
    strike()
    const { file, shares } = decodeJustification(fromHex(said))
    const others = shares.map((share) => ({ ...share, mask: share.mask.map((byte, i) => (i === 0 ? byte ^ 1 : byte)) }))
    return chain.justify(run, round, random.chance(0.5) ? '0x' : hexOf({ file, shares: others }))
  }

/** Shares of another secret than the one that is promised: all of them, or some, so that a few rebuild the right one. Now and then it is honest. */
const sharingAnother = (crypto: MaskingCrypto, random: SimRandom, strike: () => void): MaskingCrypto => ({
  ...crypto,
  async split(secret, shares, threshold) {
    const right = await crypto.split(secret, shares, threshold)
    if (random.chance(0.2)) return right
    strike()
    const other = await crypto.split(
      secret.map((byte) => byte ^ 1),
      shares,
      threshold,
    )
    const isMixed = random.chance(0.5)
    return right.map((share, i) => (isMixed && random.chance(0.5) ? share : (other[i] as Uint8Array)))
  },
})

/** Gives those above it other secrets of their pair than its seed makes, and hides those that it got from below under another pad. */
const hidingPairs = (crypto: MaskingCrypto, site: SiteId, strike: () => void): MaskingCrypto => ({
  ...crypto,
  hkdf(secret, salt, info, lengthBytes) {
    const right = crypto.hkdf(secret, salt, info, lengthBytes)
    const text = Buffer.from(info)
    const [lower, upper] = text.subarray(-2)
    const isOwn = (text.includes(' pair secret\0') && lower === site) || (text.includes(' pair pad\0') && upper === site)
    if (!isOwn) return right
    strike()
    return right.map((byte) => byte ^ 1)
  },
})

/** What a site's cryptography does against the others. */
export function lyingCrypto(crypto: MaskingCrypto, lies: ReadonlySet<Lie>, site: SiteId, seed: string, strikes: { count(lie: Lie): void }): MaskingCrypto {
  const random = new SimRandom(`${seed} other-secret ${site}`)
  const sharing = lies.has('other-secret') ? sharingAnother(crypto, random, () => strikes.count('other-secret')) : crypto
  return lies.has('false-pairs') ? hidingPairs(sharing, site, () => strikes.count('false-pairs')) : sharing
}

/** Of its parcels it keeps all but its own to itself. */
export function withholdingParcels(store: ModelStore, site: SiteId, strike: () => void): ModelStore {
  return changingDeals(store, site, async (file, signal) => {
    strike()
    const { index, parcels } = file
    const own = sitesOf(index.to).indexOf(index.dealer)
    const cid = await store.putPlain(parcels[own] as Uint8Array, signal)
    return { ...file, parcels: [], index: { ...index, parcels: index.parcels.map((named, i) => (i === own ? fromHex(cid) : named)) } }
  })
}

/** The site's own, as it puts them in its store; it keeps those of others as they are. */
const changingDeals = (store: ModelStore, site: SiteId, change: (file: DealFile, signal: AbortSignal) => Promise<DealFile>): ModelStore =>
  replacing(store, {
    async put(plaintext, outline, kind, key, signal, slices) {
      const file = kind === 'masking' ? dealIn(plaintext) : null
      if (file?.index.dealer !== site) return store.put(plaintext, outline, kind, key, signal, slices)
      const bytes = encodeDealFile(await change(file, signal))
      return store.put(bytes, outlineOf(bytes, sha256), kind, key, signal)
    },
  })

function dealIn(bytes: Uint8Array): DealFile | null {
  try {
    const file = decodeDealFile(bytes)
    return file.parcels.length > 0 ? file : null
  } catch {
    return null
  }
}

function saidIn(word: Uint8Array) {
  try {
    return decodeMessage(word)
  } catch {
    return null
  }
}

/** The words under masks, one after the other; what is not masked, as the parts of other groups, stays. */
export function hiding(bytes: Uint8Array, word: () => Uint8Array): Uint8Array {
  const other = bytes.slice()
  for (let at = SALT_BYTES; at < other.length; at += 4) if (other.subarray(at, at + 4).some((byte) => byte !== 0)) other.set(word(), at)
  return other
}

/** Masks add up, so what is added behind them stands in the sum: here one number to all coordinates of 64 bits but the first, which counts rows. */
export function poisoned(bytes: Uint8Array): Uint8Array {
  const other = bytes.slice()
  const view = new DataView(other.buffer)
  let first = SALT_BYTES
  while (first < other.length && view.getBigUint64(first, true) === 0n) first += 8
  for (let at = first + 8; at < other.length; at += 8) {
    const word = view.getBigUint64(at, true)
    if (word !== 0n) view.setBigUint64(at, word + POISON, true)
  }
  return other
}

const POISON = 1n << 44n
