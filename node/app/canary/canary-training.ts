import { diskUse } from '#adapters/store/disk-use.ts'
import { isRotaError } from '#base/errors.ts'
import type { Digest } from '#base/ids.ts'
import { merkleRoot } from '#core/commit/merkle.ts'
import { learnerFor } from '#core/learner/learner-for.ts'
import type { Model } from '#core/model/model.ts'
import type { SplitTable } from '#core/model/table.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import { RingAdder } from '#core/ring/add.ts'
import { boundUpdate } from '#core/ring/bound.ts'
import { decodeSum } from '#core/ring/decode.ts'
import { SALT_BYTES, vectorBytes } from '#core/ring/layout.ts'
import { toRing } from '#core/ring/to-ring.ts'
import type { Cohort } from '#ports/cohort.ts'
import type { Random } from '#ports/host.ts'
import type { ModelStore } from '#ports/model-store.ts'
import type { Trainer } from '#ports/trainer.ts'
import type { WhyNot } from '#wire/canary.ts'
import { sha256 } from '../sha256.ts'
import { isMeasuredOnce, percentile } from './canary-limits.ts'
import { largestLayout } from './canary-vector.ts'

export type Training =
  | { readonly p95Seconds: number; readonly repetitions: number; readonly backend: string }
  | { readonly whyNot: Exclude<WhyNot, ''>; readonly code: string | null }

export interface TrainingParts {
  readonly cohort: Cohort
  readonly trainer: Trainer | null
  readonly random: Random
  /** A clock that never jumps; left out: this process's. */
  readonly nowMs?: () => number
}

/** Numbers that rows brought, and rows that do not fit; 305x are about backends. */
const AT_FAULT_IN_DATA = /^ROTA-(210[1256]|2110|3(?!05))/

const MOST_REPETITIONS = 20
const LEAST_REPETITIONS = 3
/** Beyond it no further repetition begins, once there are enough. */
const BUDGET_MS = 5_000
/** One that takes this long is done twice, so that it is not its first, cold time alone that counts. */
const LONG_MS = 20_000
const leastRepetitions = (firstMs: number): number => (firstMs < LONG_MS ? LEAST_REPETITIONS : isMeasuredOnce(firstMs / 1000) ? 1 : 2)

/** The largest vector of the study's stages: what a round's transfers are reckoned with. */
export const largestVector = (protocol: Protocol): number => vectorBytes(largestLayout(protocol))

/**
 * Does what this site does between a round's opening and its commitment, again and again, on the rows that it would use, and throws the
 * updates away: nothing that was computed from a row leaves, and no cohort is claimed for it.
 * The slowest of the study's first two stages counts: the first looks at moments alone.
 */
export async function measureTraining(protocol: Protocol, withdrawn: ReadonlySet<Digest>, parts: TrainingParts, signal: AbortSignal): Promise<Training> {
  try {
    const { table } = await parts.cohort.consented(protocol, withdrawn)
    if (table.train.rows < protocol.cohort.minRows) return { whyNot: 'belowMinRows', code: 'ROTA-3019' }
    const learner = learnerFor(protocol, sha256)
    const first = learner.initial()
    const second = await nextModel(protocol, first, table, parts, signal)
    const times: number[][] = []
    for (const model of second === null ? [first] : [first, second]) times.push(await timesOf(protocol, model, withdrawn, parts, signal))
    const p95 = times.map((of) => percentile(of, 0.95))
    const slowest = p95.indexOf(Math.max(...p95))
    const backend = protocol.learner.kind === 'neural' ? (parts.trainer?.backend ?? '') : ''
    return { p95Seconds: (p95[slowest] as number) / 1000, repetitions: (times[slowest] as number[]).length, backend }
  } catch (error) {
    signal.throwIfAborted()
    if (!isRotaError(error)) throw error
    return { whyNot: AT_FAULT_IN_DATA.test(error.code) ? 'dataError' : 'failed', code: error.code }
  }
}

async function timesOf(protocol: Protocol, model: Model, withdrawn: ReadonlySet<Digest>, parts: TrainingParts, signal: AbortSignal): Promise<number[]> {
  const times: number[] = []
  const nowMs = parts.nowMs ?? (() => performance.now())
  const until = nowMs() + BUDGET_MS
  while (times.length < MOST_REPETITIONS) {
    signal.throwIfAborted()
    const startedMs = nowMs()
    const { table } = await parts.cohort.consented(protocol, withdrawn)
    merkleRoot(await ringOf(protocol, model, table, parts, signal), sha256)
    times.push(nowMs() - startedMs)
    if (times.length >= leastRepetitions(times[0] as number) && nowMs() >= until) break
  }
  return times
}

async function ringOf(protocol: Protocol, model: Model, table: SplitTable, { trainer, random }: TrainingParts, signal: AbortSignal): Promise<Uint8Array> {
  const update = await learnerFor(protocol, sha256).contribute(model, table, trainer === null ? { signal, random } : { signal, random, train: trainer.train })
  return toRing(boundUpdate(update), random.bytes(SALT_BYTES), random).bytes
}

/** As if this site alone took the first round; null where the study has one stage, or ends there. */
async function nextModel(protocol: Protocol, model: Model, table: SplitTable, parts: TrainingParts, signal: AbortSignal): Promise<Model | null> {
  const learner = learnerFor(protocol, sha256)
  const sum = decodeSum(await ringOf(protocol, model, table, parts, signal), learner.layout(model), 1)
  const { model: next, status } = learner.advance(model, sum)
  return status === 'continue' && next.stage !== model.stage ? next : null
}

export interface StoreSpeed {
  readonly writeBytesPerSecond: number
  readonly readBytesPerSecond: number
  /** 0 to 1. */
  readonly diskUsed: number
}

const LEAST_STORE_BYTES = 256 * 1024
const MOST_STORE_BYTES = 64 * 1024 * 1024

/** Puts bytes of chance of the study's size (256 kB to 64 MB) into the store, reads them back, and deletes them. @throws ROTA-4013 */
export async function measureStore(
  store: Pick<ModelStore, 'putPlain' | 'getPlain' | 'drop'>,
  dir: string,
  vectorSize: number,
  random: Random,
  signal: AbortSignal,
): Promise<StoreSpeed> {
  const bytes = random.bytes(Math.min(MOST_STORE_BYTES, Math.max(LEAST_STORE_BYTES, vectorSize)))
  // A store loads its parts when it is first used.
  await store.drop(await store.putPlain(random.bytes(32), signal))
  const startedMs = performance.now()
  const cid = await store.putPlain(bytes, signal)
  const writtenMs = performance.now()
  await store.getPlain(cid, signal)
  const readMs = performance.now()
  await store.drop(cid)
  const speed = (ms: number) => Math.round(bytes.length / (Math.max(0.1, ms) / 1000))
  return { writeBytesPerSecond: speed(writtenMs - startedMs), readBytesPerSecond: speed(readMs - writtenMs), diskUsed: (await diskUse(dir)).usedFraction }
}

/** How fast this machine hashes and adds a vector. */
export function measureAdding(random: Random): number {
  const bytes = random.bytes(1024 * 1024)
  const adder = new RingAdder(64, bytes.length)
  const startedMs = performance.now()
  merkleRoot(bytes, sha256)
  adder.add(bytes)
  return Math.round(bytes.length / (Math.max(0.1, performance.now() - startedMs) / 1000))
}
