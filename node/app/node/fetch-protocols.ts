import { isRotaError } from '#base/errors.ts'
import type { Digest } from '#base/ids.ts'
import type { ChainReader } from '#ports/chain.ts'
import type { Clock, Log } from '#ports/host.ts'
import type { ModelStore } from '#ports/model-store.ts'
import { watchChanges } from '#round/change-watch.ts'

export interface ProtocolFetchParts {
  readonly chain: Pick<ChainReader, 'studies' | 'events' | 'onChange'>
  readonly store: Pick<ModelStore, 'has' | 'getPlain'>
  readonly clock: Clock
  readonly log: Log
}

const TRY_AGAIN_MS = 5_000
const LOOK_AGAIN_MS = 60_000

/**
 * Brings the protocol of every published study to this disk, so that the steward can read it before the yes. Ends with the signal.
 * What cannot be had now (the publisher is away) is asked for again every few seconds; a protocol is some kilobytes.
 */
export async function fetchProtocols(parts: ProtocolFetchParts, signal: AbortSignal): Promise<void> {
  const held = new Set<Digest>()
  let news = new AbortController()
  const published = watchChanges(parts.chain, ['StudyPublished'])
  const look = async (): Promise<void> => {
    if (await published.changed().catch(() => true)) news.abort()
  }
  const unsubscribe = parts.chain.onChange(() => void look())
  try {
    while (!signal.aborted) {
      news = new AbortController() // what comes while fetching ends the pause after it at once
      const all = await fetchMissing(parts, held, signal)
      await parts.clock.sleep(all ? LOOK_AGAIN_MS : TRY_AGAIN_MS, AbortSignal.any([signal, news.signal])).catch(() => undefined)
    }
  } finally {
    unsubscribe()
  }
}

/** @returns whether all are here */
async function fetchMissing({ chain, store, log }: ProtocolFetchParts, held: Set<Digest>, signal: AbortSignal): Promise<boolean> {
  const studies = await chain.studies().catch(() => null)
  const missing = studies?.filter(({ protocolCid }) => !held.has(protocolCid)) ?? []
  for (const { id, publisher, protocolCid } of missing) {
    try {
      if (!(await store.has(protocolCid))) {
        await store.getPlain(protocolCid, signal, [publisher])
        log.info('protocol.fetched', { study: id })
      }
      held.add(protocolCid)
    } catch (error) {
      if (signal.aborted) return false
      if (!isRotaError(error)) throw error
      log.debug('protocol.fetch-failed', { study: id, code: error.code })
    }
  }
  return studies !== null && missing.every(({ protocolCid }) => held.has(protocolCid))
}
