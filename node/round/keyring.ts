import { sitesOf } from '#base/bitmap.ts'
import { concat, fromHex, toDigest, utf8 } from '#base/bytes.ts'
import { isRotaError, RotaError } from '#base/errors.ts'
import { type Digest, digest, type StudyId } from '#base/ids.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import type { EpochRecord, StudyRecord } from '#ports/chain.ts'
import type { EpochKey } from '#ports/model-store.ts'
import { decodeEpochBundle, type EpochBundle, encodeEpochBundle } from '#wire/epoch-bundle.ts'
import type { Site as WholeSite } from './site.ts'

/** What of a site keys need. */
export type KeySite = Pick<WholeSite, 'chain' | 'store' | 'vault' | 'sha256'> & { readonly host: Pick<WholeSite['host'], 'random'> }

/** Keys of a study's epochs: one per membership, wrapped to each member and reader, each bundle carrying the one before. */
export interface Keyring {
  key(epoch: number, signal: AbortSignal): Promise<EpochKey>
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

  /** A site that joined later, or was given a wrong key, holds no wrap of an earlier epoch, but the next bundle carries that epoch's key. */
  async function viaLaterEpoch(error: unknown, epoch: number, signal: AbortSignal): Promise<EpochKey> {
    const { epoch: current } = (await site.chain.study(study)).epoch
    if (!(isRotaError(error, 'ROTA-1312') || isRotaError(error, 'ROTA-5503')) || epoch >= current) throw error
    const later = await key(epoch + 1, signal)
    const bundle = await fetchBundle(site, await site.chain.epoch(study, epoch + 1), signal)
    if (bundle.previous === null) throw error
    return checked(site, await site.chain.epoch(study, epoch), site.vault.open(bundle.previous, later))
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

  /** A reported epoch's key may be out of reach: then the new bundle carries none, and what was made under it stays with those who hold it. */
  async function previousUnder(fresh: Uint8Array, record: StudyRecord, signal: AbortSignal): Promise<Uint8Array | null> {
    const { epoch, reported } = record.epoch
    const patience = reported ? AbortSignal.any([signal, aborted()]) : signal
    try {
      return site.vault.seal(await key(epoch, patience), fresh)
    } catch (error) {
      if (!reported || signal.aborted) throw error
      return null
    }
  }

  return { key, renew }
}

/** Whether the next epoch's key has to be drawn: none yet, other members now, or one of them could not open it. */
export const isEpochDue = ({ epoch, approved }: StudyRecord): boolean => epoch.bundle === ZERO || epoch.members !== approved || epoch.reported

const aborted = (): AbortSignal => AbortSignal.abort(new RotaError('ROTA-5509', {}))

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
