import { nameOf } from '#base/errors.ts'
import type { StudyId } from '#base/ids.ts'
import type { StudyRecord } from '#ports/chain.ts'
import type { Site } from './site.ts'

/** Brings the texts of published protocols to this site. */
export interface ProtocolWatch {
  /** Returns at once; what could not be had (its publisher is away) is tried again at a later look. */
  look(records: readonly StudyRecord[], signal: AbortSignal): void
}

/**
 * A steward looks at a protocol before the yes, so it is fetched as soon as it is published, whether or not this site will take part.
 * Whether the text is what the chain says is checked where it is read.
 */
export function watchProtocols(site: Pick<Site, 'store' | 'host'>): ProtocolWatch {
  const known = new Set<StudyId>()
  return {
    look(records, signal) {
      for (const { id, protocolCid } of records) {
        if (known.has(id)) continue
        known.add(id)
        site.store.getPlain(protocolCid, signal).catch((error) => {
          known.delete(id)
          if (!signal.aborted) site.host.log.warn('protocol.failed', { study: id, reason: nameOf(error) })
        })
      }
    },
  }
}
