import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DifferencingLedger, MIN_DIFFERENCE } from '#adapters/cohort/differencing-ledger.ts'
import { sha256 } from '#app/sha256.ts'
import { toDigest, utf8 } from '#base/bytes.ts'
import { clopperPearson } from '#core/evidence/proportion.ts'
import type { Measured } from '#core/evidence/verdict.ts'
import { isPrivate } from '#core/protocol/private-rounds.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import type { SumValues } from '#core/ring/vectors.ts'
import { judged, NO_PROTECTION, type Outcome, promiseOf } from './evidence.ts'
import { firstModel, hasDeltas, seen } from './first-round.ts'
import { type Lab, rowsAt } from './lab.ts'
import { whatLeaves } from './what-leaves.ts'

const TITLE = 'Differencing: two runs, one patient less'
const VICTIMS = 60
const WITHOUT_SUMS =
  'this learner sends no sums of rows, and each round trains on from another model: whether the models of two successive rounds tell who left between them was not looked at'
/** Of a feature's range: nearer is as good as known. */
const NEAR = 0.01
/** What the interval of none among so many leaves room for. */
const CEILING = 0.1

/**
 * Takes the sum of a run from that of a run before, with one patient less: exact learners are deterministic, so the difference is that patient's row, and
 * masks do not hide it. Under the study's rule the site stays out of the second run until ten patients changed, and the difference is the mean of ten.
 * With noise, both sums have their own.
 */
export async function differencingAttack(lab: Lab): Promise<Outcome> {
  const { rows, guarded, bare } = lab
  if (hasDeltas(bare)) return { attack: 'differencing', title: TITLE, why: WITHOUT_SUMS }
  if (rows.rows < VICTIMS + MIN_DIFFERENCE) return { attack: 'differencing', title: TITLE, why: `it needs ${VICTIMS + MIN_DIFFERENCE} patients` }
  const isNoisy = isPrivate(guarded)
  return judged({
    attack: 'differencing',
    title: TITLE,
    figure: 'patients whose whole row is shown',
    unprotected: await shown(lab, bare, 1),
    protected: isNoisy ? await shown(lab, guarded, 1) : await shown(lab, bare, await leastAllowed(lab)),
    guessing: 0,
    ceiling: CEILING,
    declared: isNoisy
      ? promiseOf(guarded).declared
      : `who trains, and who tests, is used again as before, or changed by ${MIN_DIFFERENCE} patients or more; ${NO_PROTECTION.slice(9)}`,
    enforced: isNoisy ? promiseOf(guarded).enforced : `by each site's node, over all studies: it abstains below ${MIN_DIFFERENCE}`,
    note: `${VICTIMS} patients; shown is a row of which each value is known to a hundredth of its range`,
  })
}

/** How many patients have to leave before the site takes part again, by the ledger that nodes keep. */
async function leastAllowed({ rows }: Lab): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'rota-differencing-'))
  try {
    const ledger = new DifferencingLedger(join(folder, 'cohorts.jsonl'))
    const patients = Array.from({ length: rows.rows }, (_, i) => toDigest(sha256(utf8(`patient ${i}`))))
    await ledger.record(patients, toDigest(sha256(utf8('first run'))), [])
    for (let fewer = 1; fewer < rows.rows; fewer++) if ((await ledger.mayJoin(patients.slice(fewer), [])).ok) return fewer
    return rows.rows
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** @param together how many patients left between the two runs */
async function shown(lab: Lab, protocol: Protocol, together: number): Promise<Measured> {
  const model = await firstModel(lab, protocol)
  const all = Array.from({ length: lab.rows.rows }, (_, i) => i)
  const sent = (which: readonly number[]): Promise<SumValues> => whatLeaves(lab, protocol, model, rowsAt(lab.rows, which), 0)
  const whole = await sent(all)
  let found = 0
  for (let victim = 0; victim < VICTIMS; victim++) {
    const left = new Set(Array.from({ length: together }, (_, i) => (victim + i) % lab.rows.rows))
    const rest = await sent(all.filter((i) => !left.has(i)))
    const guess = differenceOf(protocol, whole, rest, together)
    const truth = seen(protocol, model, rowsAt(lab.rows, [victim]).values)
    // Ranges are two wide on this scale.
    if (truth.every((x, j) => Math.abs(x - (guess[j] as number)) <= 2 * NEAR)) found++
  }
  return { value: found / VICTIMS, ...clopperPearson(found, VICTIMS, 0.95) }
}

/** The mean of the rows that left, over their ranges. */
function differenceOf(protocol: Protocol, whole: SumValues, rest: SumValues, together: number): Float64Array {
  const { learner, features } = protocol
  const less = (i: number): number => whole.at(i) - rest.at(i)
  const value = (j: number): number => {
    if (learner.kind === 'statistics') return less(2 + j * (3 + learner.bins)) / together
    if (!isPrivate(protocol)) return less(1 + j) / together
    // Of the first noisy step, in which a residual is one half.
    return learner.kind === 'linear' ? less(1 + j) / Math.SQRT2 / less(0) : less(1 + j) / less(0)
  }
  return Float64Array.from(features, (_, j) => value(j))
}
