import { timingSafeEqual } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { writeAtomic } from '#adapters/journal/atomic-file.ts'
import { toHex, utf8 } from '#base/bytes.ts'
import { isRotaError } from '#base/errors.ts'
import { type StudyId, studyId } from '#base/ids.ts'
import type { WebTask } from '#web/server.ts'
import { runCanary } from './canary.ts'
import { serveCanary } from './canary-answer.ts'
import { keepCanary } from './canary-file.ts'
import type { CanaryParts } from './canary-parts.ts'
import type { RunningNode } from './node.ts'
import { protocolOf } from './studies.ts'
import { toldError } from './told-error.ts'

/** A running node's part in canaries: it answers other members', and runs one when asked on its own machine. */
export interface NodeCanary {
  readonly task: WebTask
  stop(): Promise<void>
}

export async function startNodeCanary(node: RunningNode): Promise<NodeCanary> {
  const parts = partsOf(node)
  const { control } = node.folder.paths
  const desk = await serveCanary(parts)
  const token = toHex(node.host.random.bytes(32))
  await writeAtomic(control, `${token}\n`)
  const ended = new AbortController()
  let running: Promise<unknown> | null = null
  return {
    task: async (query, authorization) => {
      if (!isBearer(authorization, token)) return { status: 401, value: { reason: 'the control key is another' } }
      const asked = askedFor(query)
      if (asked === null) return { status: 400, value: { reason: 'no such study' } }
      // One at a time: two at once would measure each other.
      await running?.catch(() => undefined)
      const work = runCanary(parts, asked, ended.signal)
      running = work
      try {
        const report = await work
        await keepCanary(node.folder.paths, report)
        return { status: 200, value: { report } }
      } catch (error) {
        if (!isRotaError(error)) throw error
        return { status: 200, value: { error: { ...toldError(error), details: error.details } } }
      }
    },
    async stop() {
      ended.abort()
      await running?.catch(() => undefined)
      await desk.stop()
      await rm(control, { force: true })
    },
  }
}

const partsOf = ({ site, name, folder, network, chain, host }: RunningNode): CanaryParts => ({
  site: site.id,
  name,
  chain,
  network,
  store: site.store,
  storeDir: folder.paths.blocks,
  cohort: site.cohort,
  trainer: site.trainer,
  clock: host.clock,
  random: host.random,
  protocol: (record, signal) => protocolOf({ folder }, record, signal),
})

function askedFor(query: URLSearchParams): { readonly study: StudyId; readonly waitMs: number } | null {
  const [study, wait] = [Number(query.get('study')), Number(query.get('waitMs'))]
  if (!Number.isSafeInteger(study) || study < 1 || !(wait >= 1_000 && wait <= 600_000)) return null
  return { study: studyId(study), waitMs: wait }
}

function isBearer(authorization: string | undefined, token: string): boolean {
  const [given, wanted] = [utf8(authorization ?? ''), utf8(`Bearer ${token}`)]
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}
