import { timingSafeEqual } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { writeAtomic } from '#adapters/journal/atomic-file.ts'
import type { RunningNode } from '#app/node/node.ts'
import { dropRoundStores } from '#app/node/scratch-store.ts'
import { protocolOf } from '#app/study/studies.ts'
import { toHex, utf8 } from '#base/bytes.ts'
import { isRotaError } from '#base/errors.ts'
import { studyId } from '#base/ids.ts'
import type { WebTask } from '#web/server.ts'
import { toldError } from '../told-error.ts'
import { type CanaryCall, runCanary } from './canary.ts'
import { serveCanary } from './canary-answer.ts'
import { createErrands } from './canary-errands.ts'
import { keepCanary } from './canary-file.ts'
import type { CanaryParts } from './canary-parts.ts'
import { createCanaryRounds } from './canary-rounds.ts'

/** A running node's part in canaries: it answers other members', and runs one when asked on its own machine. */
export interface NodeCanary {
  readonly task: WebTask
  stop(): Promise<void>
}

export async function startNodeCanary(node: RunningNode): Promise<NodeCanary> {
  const parts = partsOf(node)
  const { control, state } = node.folder.paths
  await dropRoundStores(state)
  const rounds = createCanaryRounds(parts)
  const desk = await serveCanary(parts, rounds)
  const token = toHex(node.host.random.bytes(32))
  await writeAtomic(control, `${token}\n`)
  const ended = new AbortController()
  const errands = createErrands(node.host.random, ended.signal)

  async function canary(asked: CanaryCall, onStep: (text: string) => void): Promise<object> {
    try {
      const report = await runCanary(parts, rounds, asked, ended.signal, onStep)
      await keepCanary(node.folder.paths, report)
      return { report }
    } catch (error) {
      if (!isRotaError(error)) throw error
      return { error: { ...toldError(error), details: error.details } }
    }
  }

  return {
    task: async (query, authorization) => {
      if (!isBearer(authorization, token)) return { status: 401, value: { reason: 'the control key is another' } }
      const asked = askedFor(query)
      if (asked === null) return { status: 400, value: { reason: 'no such study' } }
      const told = await errands.look(query.get('ticket') ?? errands.begin((onStep) => canary(asked, onStep)))
      return told === null ? { status: 404, value: { reason: 'it does not know this canary any more' } } : { status: 200, value: told }
    },
    async stop() {
      ended.abort()
      await errands.over()
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
  state: folder.paths.state,
  cohort: site.cohort,
  trainer: site.trainer,
  clock: host.clock,
  random: host.random,
  protocol: (record, signal) => protocolOf({ folder }, record, signal),
})

function askedFor(query: URLSearchParams): CanaryCall | null {
  const [study, wait] = [Number(query.get('study')), Number(query.get('waitMs'))]
  if (!Number.isSafeInteger(study) || study < 1 || !(wait >= 1_000 && wait <= 600_000)) return null
  return { study: studyId(study), waitMs: wait }
}

function isBearer(authorization: string | undefined, token: string): boolean {
  const [given, wanted] = [utf8(authorization ?? ''), utf8(`Bearer ${token}`)]
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}
