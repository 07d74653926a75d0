import { sitesOf } from '#base/bitmap.ts'
import { concat, fromHex, toDigest, utf8 } from '#base/bytes.ts'
import { isRotaError, RotaError } from '#base/errors.ts'
import { type Digest, digest, type StudyId } from '#base/ids.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import type { EpochRecord, StudyRecord } from '#ports/chain.ts'
import type { EpochKey } from '#ports/model-store.ts'
import { decodeEpochBundle, type EpochBundle, encodeEpochBundle } from '#wire/epoch-bundle.ts'
import type { Site as WholeSite } from './site.ts'
import { within } from './within.ts'

/** What of a site keys need. */
export type KeySite = Pick<WholeSite, 'chain' | 'store' | 'vault' | 'sha256'> & { readonly host: Pick<WholeSite['host'], 'random' | 'clock'> }

/** Keys of a study's epochs: one per membership, wrapped to each member and reader, each bundle carrying the one before. */
export interface Keyring {
  key(epoch: number, signal: AbortSignal): Promise<EpochKey>
  /** Whether that key is at hand; any, where none is named. */
  holds(epoch?: number): boolean
  /** Draws the next epoch's key when the approved sites are no longer those of the current one. @returns whether it did */
  renew(record: StudyRecord, signal: AbortSignal): Promise<boolean>
}

export function createKeyring(site: KeySite, study: StudyId, protocol: Protocol): Keyring {
  const known = new Map<number, EpochKey>()

  async function key(epoch: number, signal: AbortSignal): Promise<EpochKey> {
    const held = known.get(epoch)
    if (held !== undefined) return held
    const fetched = await unwrap(site, study, await site.chain.epoch(study, epoch), signal).catch((error) => viaLaterEpoch(error, epoch, signal))
    known.set(epoch, fetched)
    return fetched
  }

  /**
   * A site that joined later, or was given a wrong key, holds no wrap of an earlier epoch, but later bundles carry the keys before theirs: from the
   * first that this site can open it goes back, over those that nobody gives.
   */
  async function viaLaterEpoch(error: unknown, epoch: number, signal: AbortSignal): Promise<EpochKey> {
    const { epoch: newest } = (await site.chain.study(study)).epoch
    if (!(isRotaError(error, 'ROTA-1312') || isRotaError(error, 'ROTA-5503'))) throw error
    for (let later = epoch + 1; later <= newest; later++) {
      const found = await backFrom(later, epoch, signal).catch((trouble) => unlessFatal(trouble, signal))
      if (found !== null) return found
    }
    throw error
  }

  async function backFrom(later: number, epoch: number, signal: AbortSignal): Promise<EpochKey | null> {
    let at = later
    let held = known.get(later) ?? (await unwrap(site, study, await site.chain.epoch(study, later), signal))
    while (at > epoch) {
      known.set(at, held)
      const { previous } = await fetchBundle(site, await site.chain.epoch(study, at), signal)
      if (previous === null) return null
      held = site.vault.open(previous, held)
      const of = await epochOf(commitment(site, held), epoch, at - 1)
      if (of === null) return null
      at = of
    }
    return held
  }

  /** Which of these epochs a key is of, by its commitment; the last as a rule. */
  async function epochOf(committed: Digest, first: number, last: number): Promise<number | null> {
    for (let epoch = last; epoch >= first; epoch--) if ((await site.chain.epoch(study, epoch)).commitment === committed) return epoch
    return null
  }

  async function renew(record: StudyRecord, signal: AbortSignal): Promise<boolean> {
    if (!isEpochDue(record)) return false
    const first = record.epoch.bundle === ZERO
    const epoch = first ? 0 : record.epoch.epoch + 1
    const fresh = site.host.random.bytes(32)
    const recipients = [...(await memberKeys(site, record)), ...protocol.readers.map((reader) => digest(reader.encryptionKey))]
    const bundle = encodeEpochBundle({
      study,
      epoch,
      previous: first ? null : await previousUnder(fresh, record, signal),
      wraps: site.vault.wrap(fresh, recipients, context(site, study, epoch)),
    })
    const cid = await site.store.putPlain(bundle, signal)
    try {
      await site.chain.publishEpoch(study, epoch, commitment(site, fresh), cid)
    } catch (error) {
      if (isRotaError(error) && error.reaction === 'ignore') return false
      throw error
    }
    return true
  }

  /**
   * A reported epoch's key may be out of reach: then the new bundle carries the newest that this site has, and what was made under the one that is
   * missing stays with those who hold it. A site that has just started again finds its own on its disk. Null where there is none.
   */
  async function previousUnder(fresh: Uint8Array, record: StudyRecord, signal: AbortSignal): Promise<Uint8Array | null> {
    const { epoch, reported } = record.epoch
    if (!reported) return site.vault.seal(await key(epoch, signal), fresh)
    return within(site, LOOKED_FOR_MS, signal, async (patience) => {
      for (let earlier = epoch; earlier >= 0; earlier--) {
        const held = await key(earlier, patience).catch((error) => unlessFatal(error, signal))
        if (held !== null) return site.vault.seal(held, fresh)
      }
      return null
    })
  }

  return { key, holds: (epoch) => (epoch === undefined ? known.size > 0 : known.has(epoch)), renew }
}

/** Whether the next epoch's key has to be drawn: none yet, other members now, or one of them could not open it. */
export const isEpochDue = ({ epoch, approved }: StudyRecord): boolean => epoch.bundle === ZERO || epoch.members !== approved || epoch.reported

/** A key that cannot be had one way may be had another. @throws what is no trouble with one key */
function unlessFatal(error: unknown, signal: AbortSignal): null {
  signal.throwIfAborted()
  if (!isRotaError(error)) throw error
  return null
}

/** Time for a disk, and for a member that is near: the others wait for the new key. */
const LOOKED_FOR_MS = 1_000
const ZERO = `0x${'00'.repeat(32)}`

async function memberKeys(site: KeySite, record: StudyRecord): Promise<Digest[]> {
  const sites = await site.chain.sites()
  return sitesOf(record.approved).map((id) => {
    const member = sites.find((s) => s.id === id)
    if (member === undefined) throw new RotaError('ROTA-5502', { site: id })
    return member.encryptionKey
  })
}

async function unwrap(site: KeySite, study: StudyId, record: EpochRecord, signal: AbortSignal): Promise<EpochKey> {
  const bundle = await fetchBundle(site, record, signal)
  return checked(site, record, site.vault.unwrap(bundle.wraps, context(site, study, record.epoch)))
}

/** Simulated sites are handed one array for all: it is decoded once. */
const decoded = new WeakMap<Uint8Array, EpochBundle>()

async function fetchBundle(site: KeySite, record: EpochRecord, signal: AbortSignal): Promise<EpochBundle> {
  const bytes = await site.store.getPlain(record.bundle, signal)
  const bundle = decoded.get(bytes) ?? decodeEpochBundle(bytes)
  decoded.set(bytes, bundle)
  return bundle
}

/** @throws ROTA-5503 when what was unwrapped is not what the chain committed to */
function checked(site: KeySite, record: EpochRecord, key: Uint8Array): EpochKey {
  if (commitment(site, key) !== record.commitment) throw new RotaError('ROTA-5503', { epoch: record.epoch })
  return key
}

/** What stands on chain for an epoch's key; tells nothing about it, since the key is 32 random bytes. */
const commitment = (site: KeySite, key: Uint8Array): Digest => toDigest(site.sha256(utf8('rota epoch key'), key))

/** Binds a wrap to its chain, study and epoch. */
export const epochContext = (genesis: Digest, chainId: bigint, study: number, epoch: number): Uint8Array =>
  concat(utf8('rota epoch bundle'), fromHex(genesis), utf8(` ${chainId} ${study} ${epoch}`))

const context = (site: KeySite, study: StudyId, epoch: number): Uint8Array => epochContext(site.chain.genesis, site.chain.chainId, study, epoch)
