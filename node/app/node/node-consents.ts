import { keepRoots } from '#app/consent/keep-roots.ts'
import { openShelf } from '#app/model/model-shelf.ts'
import type { StudyId } from '#base/ids.ts'
import type { RunningNode } from './node.ts'

/** How long a protocol may take to be read from this disk. */
const READ_MS = 5_000

/** The roots of a running node's consents, by the cadence of their terms. Returns how to stop. */
export function startRoots(node: RunningNode): { stop(): Promise<void> } {
  const { folder, chain, site, host } = node
  const stopped = new AbortController()
  const parts = { folder, chain, own: { id: site.id }, approved: approvedProgrammes(node), clock: host.clock, log: host.log }
  const keeping = keepRoots(parts, stopped.signal).catch((error: unknown) => host.log.error('consent.roots-ended', { reason: String(error) }))
  return {
    async stop() {
      stopped.abort()
      await keeping
    },
  }
}

/** Programmes of the studies that this site has approved now and whose protocols are here. */
function approvedProgrammes({ chain, site, folder }: RunningNode): () => Promise<readonly string[]> {
  const shelf = openShelf({ chain, store: site.store, vault: folder.vault })
  const known = new Map<StudyId, string>()
  return async () => {
    const approved = new Set<StudyId>()
    for (const e of await chain.events(0, { kinds: ['StudyApproved', 'StudyWithdrawn'] })) {
      if (e.kind === 'StudyApproved' && e.site === site.id) approved.add(e.study)
      if (e.kind === 'StudyWithdrawn' && e.site === site.id) approved.delete(e.study)
    }
    for (const study of approved) {
      if (known.has(study)) continue
      const protocol = await shelf.protocol(study, AbortSignal.timeout(READ_MS)).catch(() => null)
      if (protocol !== null) known.set(study, protocol.programme)
    }
    return [...approved].flatMap((study) => known.get(study) ?? [])
  }
}
