import { equalBytes } from '#base/bytes.ts'
import { isRotaError } from '#base/errors.ts'
import type { Digest, SiteId } from '#base/ids.ts'
import { areDisproofs, decodeDisproofs } from '#wire/masking/disproofs.ts'
import { decodeUnmasking } from '#wire/masking/unmasking.ts'
import { asDigest } from '../digest.ts'
import type { FaultList } from '../fault-list.ts'
import { fewAtOnce } from '../few-at-once.ts'
import { openSecret } from '../reader-key.ts'
import type { RoundInput } from '../round-input.ts'
import { type EventOf, eventsOf } from '../run-log.ts'
import { readStored, type StoredObject } from '../unixfs-object.ts'
import type { MaskRound } from './mask-round.ts'
import type { Release, Told } from './seeds.ts'

type Unmasking = ReturnType<typeof decodeUnmasking>
type Disproofs = ReturnType<typeof decodeDisproofs>
/** Of dealers that promised other secrets than they shared. */
export type Shown = Disproofs['disproofs']

/** What attesters left of how they took the masks off: `own` of an attestation names it. */
export interface Unmaskings {
  readonly releases: ReadonlyMap<SiteId, Release>
  readonly told: ReadonlyMap<SiteId, Told>
  /** By what the attestation says, the proof that its site held the model; null where that is gone. */
  readonly proofs: ReadonlyMap<Digest, Digest | null>
  /** By attester: why nobody can take masks off. */
  readonly shown: ReadonlyMap<SiteId, Shown>
  /** Attesters of whom nothing is left. */
  readonly missing: readonly SiteId[]
}

export async function readUnmaskings(input: RoundInput, masks: MaskRound, key: Uint8Array, faults: FaultList): Promise<Unmaskings> {
  const releases = new Map<SiteId, Release>()
  const told = new Map<SiteId, Told>()
  const shown = new Map<SiteId, Shown>()
  const proofs = new Map<Digest, Digest | null>()
  const missing = new Set<SiteId>()
  const events = [...eventsOf(input.round, 'Attested'), ...input.round.late].filter(({ status }) => status !== 'wrongSum')
  const stored = await fewAtOnce(events, ({ own }) => readStored(input.sources, own))
  for (const [i, event] of events.entries()) {
    const unmasking = opened(stored[i] as StoredObject, event, key, faults)
    if (unmasking === null) {
      missing.add(event.site)
      proofs.set(event.own, null)
    } else if (isOfRound(unmasking, input, masks, event.site, faults)) {
      proofs.set(event.own, asDigest(unmasking.proof))
      // A site that attests again, to another publication, releases the same.
      if (!releases.has(event.site)) releases.set(event.site, unmasking.release.release)
      if ('disproofs' in unmasking) shown.set(event.site, unmasking.disproofs)
      else if (!told.has(event.site)) told.set(event.site, unmasking)
    }
  }
  return { releases, told, shown, proofs, missing: [...missing].filter((site) => !releases.has(site)) }
}

/** @returns null when the stores do not have it, or not sound */
function opened(
  { bytes, missing, damaged, malformed }: StoredObject,
  { site, own, status }: EventOf<'Attested'>,
  key: Uint8Array,
  faults: FaultList,
): Unmasking | Disproofs | null {
  const what = `what site ${site} took off the sum (CID ${own})`
  for (const { block, source, mended } of damaged)
    faults.add('masks', `${what}: block ${block} in ${source} no longer hashes to its name${mended ? '; another store has it sound' : ''}`, { block, source })
  if (damaged.some((block) => !block.mended) || (bytes === null && !malformed) || missing.length > 0) return null
  const plain = bytes && openSecret(bytes, key)
  try {
    if (plain) return status === 'refused' && areDisproofs(plain) ? decodeDisproofs(plain) : decodeUnmasking(plain)
    faults.add('masks', `${what} does not open with the round's key`)
  } catch (error) {
    if (!isRotaError(error)) throw error
    faults.add('masks', `${what} is none: ${error.message}`)
  }
  return null
}

/** A site shows shares about one frozen set of a run and base model: with those of another both kinds about one site could come together. */
function isOfRound(
  { site, survivors, release: { run, round, release } }: Unmasking | Disproofs,
  input: RoundInput,
  { modelCtx }: MaskRound,
  from: SiteId,
  faults: FaultList,
): boolean {
  const frozen = input.round.frozen?.included
  if (site !== from) faults.add('masks', `site ${from} attested with what site ${site} took off the sum`)
  else if (run !== input.run.run || round !== input.round.opened.round || !equalBytes(release.ctx, modelCtx))
    faults.add('masks', `site ${from} released shares of another round`)
  else if (survivors !== frozen || release.survivors !== frozen) faults.add('masks', `site ${from} released shares about another frozen set`)
  else return true
  return false
}
