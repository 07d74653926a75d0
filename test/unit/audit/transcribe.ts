import { systemRandom } from '#adapters/host/system-host.ts'
import type { SimPorts } from '#adapters/sim/site.ts'
import type { SimWorld } from '#adapters/sim/world.ts'
import { encryptionKeyOf } from '#adapters/vault/key-wrap.ts'
import { keyholder } from '#adapters/vault/secrets-vault.ts'
import { openOfflineStore } from '#app/node/offline-store.ts'
import { sha256 } from '#app/sha256.ts'
import { readerKeyOf } from '#audit/reader-key.ts'
import { toDigest, utf8 } from '#base/bytes.ts'
import { type Digest, studyId, ZERO_DIGEST } from '#base/ids.ts'
import { outlineOf } from '#core/commit/outline.ts'
import { type HeldName, heldDealsOf, heldIn, type KeyedSite, nameOfDeal } from '#core/masking/held-deals.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import type { ChainEvent } from '#ports/chain.ts'
import type { ObjectKind } from '#ports/model-store.ts'
import { epochContext } from '#round/key-bundles.ts'
import { createKeyring } from '#round/keyring.ts'
import { encodeEpochBundle } from '#wire/epoch-bundle.ts'
import { decodeUnmasking, encodeUnmasking, type Unmasking } from '#wire/masking/unmasking.ts'
import { encodeProtocol } from '#wire/protocol.ts'

const signal = new AbortController().signal
const READ_MS = 60_000

/**
 * A simulated run as real nodes would have left it: its log, and what one of its sites can read sealed and stored by the real store under keys that an
 * auditor gets. Names of stored objects are others than in the simulation; roots, and all that is in them, are the same.
 */
export async function transcribe(dir: string, world: SimWorld, site: SimPorts, protocol: Protocol) {
  const store = await openOfflineStore(dir)
  const secret = systemRandom.bytes(32)
  const holder = keyholder(encryptionKeyOf(secret), systemRandom)
  const { chainId, genesis, coordinator } = site.chain
  const events = world.chain.ledger.eventsFrom(0)
  const study = events.find((e) => e.kind === 'StudyPublished')?.study ?? studyId(0)
  const keyring = createKeyring({ ...site, sha256 }, study, protocol)
  const keys = new Map<number, Uint8Array>()
  const renamed = new Map<Digest, Digest>()
  const epochs = new Map(events.flatMap((e) => (e.kind === 'RoundOpened' ? [[`${e.run} ${e.round}`, e.epoch] as const] : [])))

  const deals = new Map<string, string>()
  const heldAs = (e: KeyedSite): string => {
    const held = heldIn(e)
    return heldDealsOf(e.holds, (dealer) => {
      const { name, hidden } = held.get(dealer) as HeldName
      return { name: deals.get(name) ?? name, hidden }
    })
  }

  /** Null where the site has it no longer. */
  const read = <T>(from: Promise<T>): Promise<T | null> => world.within(from, READ_MS).catch(() => null)

  async function sealed(kind: ObjectKind, root: Digest, cid: Digest, epoch: number): Promise<Digest> {
    const known = renamed.get(cid)
    if (known !== undefined || root === ZERO_DIGEST) return known ?? cid
    const bytes = await read(keyring.key(epoch, site.crashed).then((key) => site.store.get({ cid, kind, root }, key, site.crashed)))
    const ref = bytes && (await store.put(bytes, outlineOf(bytes, sha256), kind, keys.get(epoch) as Uint8Array, signal))
    renamed.set(cid, ref?.cid ?? cid)
    return ref?.cid ?? cid
  }

  async function shown(cid: Digest, epoch: number): Promise<Digest> {
    const bytes = await read(keyring.key(epoch, site.crashed).then(async (key) => site.vault.open(await site.store.getPlain(cid, site.crashed), key)))
    return bytes === null ? cid : store.putPlain(holder.seal(bytes, keys.get(epoch) as Uint8Array), signal)
  }

  async function published(epoch: number): Promise<{ commitment: Digest; bundle: Digest }> {
    const key = systemRandom.bytes(32)
    keys.set(epoch, key)
    const wraps = holder.wrap(key, [holder.encryptionKey], epochContext(genesis, chainId, study, epoch))
    return {
      commitment: toDigest(sha256(utf8('rota epoch key'), key)),
      bundle: await store.putPlain(encodeEpochBundle({ study, epoch, previous: null, earlier: [], wraps }), signal),
    }
  }

  async function retold(e: ChainEvent): Promise<ChainEvent> {
    const epoch = 'round' in e ? (epochs.get(`${e.run} ${e.round}`) ?? 0) : 0
    switch (e.kind) {
      case 'StudyPublished':
        return { ...e, protocolCid: await store.putPlain(encodeProtocol(protocol), signal) }
      case 'EpochPublished':
        return { ...e, ...(await published(e.epoch)) }
      case 'Keyed': {
        const renamedTo = { ...e, dealCid: await sealed('masking', e.dealDigest, e.dealCid, epoch) }
        deals.set(nameOfDeal(e, sha256), nameOfDeal(renamedTo, sha256))
        return renamedTo
      }
      case 'Contributed':
        return { ...e, cid: await sealed('update', e.root, e.cid, epoch) }
      case 'Published':
        return { ...e, sumCid: await sealed('sum', e.sumRoot, e.sumCid, epoch) }
      case 'Attested':
        return { ...e, modelCid: await sealed('model', e.modelRoot, e.modelCid, epoch), own: protocol.mode !== 'open' ? await shown(e.own, epoch) : e.own }
      case 'RoundClosed':
      case 'RoundRefused':
        return { ...e, modelCid: await sealed('model', e.modelRoot, e.modelCid, epoch) }
      case 'RoundOpened':
        return { ...e, baseCid: renamed.get(e.baseCid) ?? e.baseCid }
      default:
        return e
    }
  }

  /** An attester's own account of what it took off, changed and sealed again. @returns its new name */
  async function altered(own: Digest, epoch: number, change: (made: Unmasking) => Unmasking): Promise<Digest> {
    const key = keys.get(epoch) as Uint8Array
    const made = decodeUnmasking(holder.open(await store.getPlain(own, signal), key))
    return store.putPlain(holder.seal(encodeUnmasking(change(made)), key), signal)
  }

  const before: ChainEvent[] = []
  for (const event of events) before.push(await retold(event))
  // A site may hold the deal of one that keyed after it.
  const told = before.map((e): ChainEvent => (e.kind === 'Keyed' ? { ...e, heldDeals: heldAs(e) } : e))
  return { chain: { chainId, genesis, coordinator, events: async () => told }, events: told, reader: readerKeyOf(secret), altered }
}
