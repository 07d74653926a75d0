import { sitesOf } from '#base/bitmap.ts'
import { isRotaError, RotaError } from '#base/errors.ts'
import { type Digest, digest, type StudyId } from '#base/ids.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import type { StudyRecord } from '#ports/chain.ts'
import type { EpochKey } from '#ports/model-store.ts'
import { type EarlierKey, encodeEpochBundle } from '#wire/epoch-bundle.ts'
import { context, keyBundles, keyCommitment, type NumberedKey, unlessFatal } from './key-bundles.ts'
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
  /** Keys that this site has, and whoever has only the newest never comes to. */
  cutOff(newest: number, signal: AbortSignal): Promise<CutOff>
}

export interface CutOff {
  readonly epochs: readonly number[]
  /** False: a bundle on the way could not be had just now, and may lead further. */
  readonly sure: boolean
}

export function createKeyring(site: KeySite, study: StudyId, protocol: Protocol): Keyring {
  const known = new Map<number, EpochKey>()
  const bundles = keyBundles(site, study)

  async function key(epoch: number, signal: AbortSignal): Promise<EpochKey> {
    const held = known.get(epoch)
    if (held !== undefined) return held
    const fetched = await bundles.unwrap(epoch, signal).catch((error) => viaLaterEpoch(error, epoch, signal))
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
    const from = known.get(later) ?? (await bundles.unwrap(later, signal))
    known.set(later, from)
    for await (const [at, held] of bundles.leadsTo([later, from], epoch, signal)) {
      known.set(at, held)
      if (at === epoch) return held
    }
    return null
  }

  async function renew(record: StudyRecord, signal: AbortSignal): Promise<boolean> {
    if (!isEpochDue(record)) return false
    const first = record.epoch.bundle === ZERO
    const epoch = first ? 0 : record.epoch.epoch + 1
    const fresh = site.host.random.bytes(32)
    const recipients = [...(await memberKeys(site, record)), ...protocol.readers.map((reader) => digest(reader.encryptionKey))]
    const before = first ? null : await newestHeld(record, signal)
    const bundle = encodeEpochBundle({
      study,
      epoch,
      previous: before === null ? null : site.vault.seal(before[1], fresh),
      earlier: before === null ? [] : await earlierUnder(fresh, before, signal),
      wraps: site.vault.wrap(fresh, recipients, context(site, study, epoch)),
    })
    const cid = await site.store.putPlain(bundle, signal)
    try {
      await site.chain.publishEpoch(study, epoch, keyCommitment(site, fresh), cid)
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
  async function newestHeld(record: StudyRecord, signal: AbortSignal): Promise<NumberedKey | null> {
    const { epoch, reported } = record.epoch
    if (!reported) return [epoch, await key(epoch, signal)]
    return within(site, LOOKED_FOR_MS, signal, async (patience) => {
      for (let earlier = epoch; earlier >= 0; earlier--) {
        const held = await key(earlier, patience).catch((error) => unlessFatal(error, signal))
        if (held !== null) return [earlier, held]
      }
      return null
    })
  }

  /** What the key before does not lead to: somebody drew it who had not all that others have. */
  async function earlierUnder(fresh: EpochKey, before: NumberedKey, signal: AbortSignal): Promise<readonly EarlierKey[]> {
    const { epochs } = await apartFrom(before, signal)
    return epochs.map((epoch) => ({ epoch, sealed: site.vault.seal(known.get(epoch) as EpochKey, fresh) }))
  }

  /** Epochs before this one whose keys this site has, and to which this one's does not lead; without those to which a later one of them does. */
  async function apartFrom(from: NumberedKey, signal: AbortSignal): Promise<CutOff> {
    const epochs: number[] = []
    const reached = new Set<number>()
    let sure = true
    const follow = (next: NumberedKey): Promise<void> =>
      within(site, LOOKED_FOR_MS, signal, async (patience) => {
        for await (const [at, held] of bundles.leadsTo(next, 0, patience, () => (sure = false))) {
          reached.add(at)
          known.set(at, held)
        }
      }).catch((error) => {
        sure = false
        unlessFatal(error, signal)
      })
    await follow(from)
    for (let epoch = from[0] - 1; epoch >= 0; epoch--) {
      const held = reached.has(epoch) ? null : await ownKey(epoch, signal)
      if (held === null) continue
      epochs.push(epoch)
      await follow([epoch, held])
    }
    return { epochs, sure }
  }

  /** Null where this site has it neither in memory nor wrapped to it on its disk. */
  async function ownKey(epoch: number, signal: AbortSignal): Promise<EpochKey | null> {
    const held = known.get(epoch)
    if (held !== undefined || !(await site.store.has((await site.chain.epoch(study, epoch)).bundle))) return held ?? null
    const own = await bundles.unwrap(epoch, signal).catch((error) => unlessFatal(error, signal))
    if (own !== null) known.set(epoch, own)
    return own
  }

  return {
    key,
    holds: (epoch) => (epoch === undefined ? known.size > 0 : known.has(epoch)),
    renew,
    cutOff: async (newest, signal) => apartFrom([newest, await key(newest, signal)], signal),
  }
}

/** Whether the next epoch's key has to be drawn: none yet, other members now, or one of them could not open it. */
export const isEpochDue = ({ epoch, approved }: StudyRecord): boolean => epoch.bundle === ZERO || epoch.members !== approved || epoch.reported

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
