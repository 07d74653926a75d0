import { keepRoots } from '#app/consent/keep-roots.ts'
import { isRotaError, nameOf } from '#base/errors.ts'
import type { SiteId, StudyId } from '#base/ids.ts'
import type { ChainReader } from '#ports/chain.ts'
import type { Log } from '#ports/host.ts'
import { fetchProtocol, type ProtocolSource } from '#round/fetch-protocol.ts'
import { sha256 } from '../sha256.ts'
import type { RunningNode } from './node.ts'

/** How long a protocol may take to be read from this disk. */
const READ_MS = 5_000

/** The roots of a running node's consents. */
export interface NodeRoots {
  /** Rejects where the node went wrong; settles when it is stopped. */
  readonly done: Promise<void>
  stop(): Promise<void>
}

/** Puts them on chain by the cadence of their terms. */
export function startRoots({ folder, chain, site, host }: RunningNode): NodeRoots {
  const stopped = new AbortController()
  const approved = approvedProgrammes({ chain, site, log: host.log })
  const done = keepRoots({ folder, chain, own: { id: site.id }, approved, clock: host.clock, log: host.log }, stopped.signal)
  // Whoever waits for it is told; nobody may be waiting yet.
  done.catch((error: unknown) => host.log.error('consent.roots-ended', { reason: nameOf(error) }))
  return {
    done,
    async stop() {
      stopped.abort()
      await done.catch(() => undefined)
    },
  }
}

export interface ApprovedParts {
  readonly chain: Pick<ChainReader, 'events' | 'study'>
  readonly site: { readonly id: SiteId; readonly store: ProtocolSource['store'] }
  readonly log: Pick<Log, 'warn'>
}

/** Programmes of the studies that this site has approved now and whose protocols are here; those of others are asked for again, and told once. */
export function approvedProgrammes({ chain, site, log }: ApprovedParts): () => Promise<readonly string[]> {
  const known = new Map<StudyId, string>()
  const told = new Set<StudyId>()
  const read = async (study: StudyId): Promise<void> => {
    try {
      const { programme } = await fetchProtocol({ store: site.store, sha256 }, await chain.study(study), AbortSignal.timeout(READ_MS))
      known.set(study, programme)
    } catch (error) {
      if (!isRotaError(error) && !isTimeout(error)) throw error
      if (!told.has(study)) log.warn('consent.protocol-waits', { study, code: nameOf(error) })
      told.add(study)
    }
  }
  return async () => {
    const approved = new Set<StudyId>()
    for (const e of await chain.events(0, { kinds: ['StudyApproved', 'StudyWithdrawn'] })) {
      if (e.kind === 'StudyApproved' && e.site === site.id) approved.add(e.study)
      if (e.kind === 'StudyWithdrawn' && e.site === site.id) approved.delete(e.study)
    }
    for (const study of approved) if (!known.has(study)) await read(study)
    return [...approved].flatMap((study) => known.get(study) ?? [])
  }
}

const isTimeout = (error: unknown): boolean => error instanceof Error && error.name === 'TimeoutError'
