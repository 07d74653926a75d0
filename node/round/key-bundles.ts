import { concat, fromHex, toDigest, utf8 } from '#base/bytes.ts'
import { isRotaError, RotaError } from '#base/errors.ts'
import type { Digest, StudyId } from '#base/ids.ts'
import type { EpochRecord } from '#ports/chain.ts'
import type { EpochKey } from '#ports/model-store.ts'
import { decodeEpochBundle, type EpochBundle } from '#wire/epoch-bundle.ts'
import type { KeySite } from './keyring.ts'

/** An epoch's key, and of which epoch it is. */
export type NumberedKey = readonly [epoch: number, key: EpochKey]

/** What the published bundles of a study's keys give to this site. Each key is held against its commitment on chain. */
export interface KeyBundles {
  /** The key that is wrapped to this site. @throws ROTA-1312, ROTA-5503, and as the store when nobody gives the bundle */
  unwrap(epoch: number, signal: AbortSignal): Promise<EpochKey>
  /**
   * The earlier keys to which one leads: those that its bundle carries, those that their bundles carry, and so on; none before `least`.
   * @param missing told of each bundle on the way that could not be had
   */
  leadsTo(from: NumberedKey, least: number, signal: AbortSignal, missing?: (epoch: number) => void): AsyncGenerator<NumberedKey>
}

export function keyBundles(site: KeySite, study: StudyId): KeyBundles {
  const record = (epoch: number): Promise<EpochRecord> => site.chain.epoch(study, epoch)

  async function unwrap(epoch: number, signal: AbortSignal): Promise<EpochKey> {
    const published = await record(epoch)
    const bundle = await fetchBundle(site, published, signal)
    const key = site.vault.unwrap(bundle.wraps, context(site, study, epoch))
    if (keyCommitment(site, key) !== published.commitment) throw new RotaError('ROTA-5503', { epoch })
    return key
  }

  async function* leadsTo(from: NumberedKey, least: number, signal: AbortSignal, missing: (epoch: number) => void = () => {}): AsyncGenerator<NumberedKey> {
    const seen = new Set<number>()
    const open = [from]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const [epoch] = next
      if (epoch <= least) continue
      const carried = await carriedBy(next, signal).catch((error) => unlessFatal(error, signal))
      if (carried === null) missing(epoch)
      for (const found of carried ?? []) {
        if (found[0] < least || seen.has(found[0])) continue
        seen.add(found[0])
        open.push(found)
        yield found
      }
    }
  }

  async function carriedBy([epoch, key]: NumberedKey, signal: AbortSignal): Promise<readonly NumberedKey[]> {
    const { previous, earlier } = await fetchBundle(site, await record(epoch), signal)
    const found: NumberedKey[] = []
    for (const { epoch: of, sealed } of earlier) {
      const held = of < epoch ? opened(sealed, key) : null
      if (held !== null && keyCommitment(site, held) === (await record(of)).commitment) found.push([of, held])
    }
    const before = previous === null ? null : opened(previous, key)
    const of = before === null ? null : await epochOf(keyCommitment(site, before), epoch - 1)
    return before === null || of === null ? found : [...found, [of, before]]
  }

  /** Null for what its maker sealed under another key. */
  function opened(sealed: Uint8Array, under: EpochKey): EpochKey | null {
    try {
      return site.vault.open(sealed, under)
    } catch (error) {
      if (!isRotaError(error)) throw error
      return null
    }
  }

  /** Of which epoch a key is, by its commitment; the last as a rule. */
  async function epochOf(committed: Digest, last: number): Promise<number | null> {
    for (let epoch = last; epoch >= 0; epoch--) if ((await record(epoch)).commitment === committed) return epoch
    return null
  }

  return { unwrap, leadsTo }
}

/** A key that cannot be had one way may be had another. @throws what is no trouble with one key */
export function unlessFatal(error: unknown, signal: AbortSignal): null {
  signal.throwIfAborted()
  if (!isRotaError(error)) throw error
  return null
}

/** Simulated sites are handed one array for all: it is decoded once. */
const decoded = new WeakMap<Uint8Array, EpochBundle>()

async function fetchBundle(site: KeySite, { bundle: cid }: EpochRecord, signal: AbortSignal): Promise<EpochBundle> {
  const bytes = await site.store.getPlain(cid, signal)
  const bundle = decoded.get(bytes) ?? decodeEpochBundle(bytes)
  decoded.set(bytes, bundle)
  return bundle
}

/** What stands on chain for an epoch's key; tells nothing about it, since the key is 32 random bytes. */
export const keyCommitment = (site: Pick<KeySite, 'sha256'>, key: Uint8Array): Digest => toDigest(site.sha256(utf8('rota epoch key'), key))

/** Binds a wrap to its chain, study and epoch. */
export const epochContext = (genesis: Digest, chainId: bigint, study: number, epoch: number): Uint8Array =>
  concat(utf8('rota epoch bundle'), fromHex(genesis), utf8(` ${chainId} ${study} ${epoch}`))

export const context = (site: KeySite, study: StudyId, epoch: number): Uint8Array => epochContext(site.chain.genesis, site.chain.chainId, study, epoch)
