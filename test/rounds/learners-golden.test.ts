import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { toHex, utf8 } from '#base/bytes.ts'
import { merkleRoot } from '#core/commit/merkle.ts'
import { learnerFor } from '#core/learner/learner-for.ts'
import { generateCohort } from '#core/model/generated-cohort.ts'
import type { Model } from '#core/model/model.ts'
import { Seeded } from '#core/model/seeded.ts'
import type { Label, LearnerSpec } from '#core/protocol/protocol.ts'
import { boundUpdate } from '#core/ring/bound.ts'
import { toRing } from '#core/ring/to-ring.ts'
import { plainTrainer } from '../unit/core/plain-trainer.ts'
import { fedavg, network, newton, protocolOf, rehearse, sha256, sitesOf, tools } from '../unit/core/support.ts'

/**
 * The same bits on every machine and in every version of the engine: each model of whole runs over a generated cohort, and the
 * vectors of their first site, as digests. A change here is a change of `arithmeticVersion`: nodes that differ cannot attest together.
 * `node --test` with ROTA_GOLDEN=print shows the digests of this code.
 */
const cohort = generateCohort({ sites: 3, rows: 120, seed: 2024 })
const sites = sitesOf(cohort.sites)
const count: Label = { ...cohort.label, kind: 'count', range: [0, 1] }
const number: Label = { ...cohort.label, kind: 'number', range: [0, 1] }

const CASES: readonly (readonly [string, LearnerSpec, Label])[] = [
  ['statistics', { kind: 'statistics', bins: 12 }, cohort.label],
  ['logistic newton', newton('logistic'), cohort.label],
  ['logistic newton, L2, raw', newton('logistic', { l2: 0.02, standardise: 'none' }), cohort.label],
  ['logistic newton, private intercepts', newton('logistic', { siteIntercepts: true }), cohort.label],
  ['linear newton', newton('linear'), number],
  ['poisson newton', newton('poisson'), count],
  ['logistic fedavg', fedavg(4, 3), cohort.label],
  ['neural fedavg', network({ rounds: 1 }), cohort.label],
]

const golden = JSON.parse(readFileSync(new URL('../vectors/learners.json', import.meta.url), 'utf8')) as { digests: Record<string, string[]> }

async function digestsOf(learner: LearnerSpec, label: Label): Promise<string[]> {
  const protocol = protocolOf(learner, cohort.features, label)
  const { models } = await rehearse(protocol, sites, { ...tools(), train: plainTrainer })
  const own = learnerFor(protocol, sha256)
  const steps = learner.kind === 'neural' ? models.slice(0, 2) : models
  const digests: string[] = []
  for (const model of steps) {
    digests.push(modelDigest(model))
    if (model === models.at(-1) || learner.kind === 'neural') continue
    const update = await own.contribute(model, Object.values(sites)[0] as (typeof sites)[string], tools())
    digests.push(merkleRoot(toRing(boundUpdate(update), new Uint8Array(32), new Seeded(1)).bytes, sha256).slice(0, 18))
  }
  return digests
}

/** JSON writes a float64 as the shortest text that reads back as it, so equal text is equal bits. */
const modelDigest = (model: Model): string =>
  toHex(sha256(utf8(JSON.stringify(model, (_, value) => (value instanceof Uint8Array ? toHex(value) : value))))).slice(0, 18)

describe('golden digests of the arithmetic', () => {
  for (const [name, learner, label] of CASES) {
    it(`${name}: every model and vector is bit for bit what it was`, async () => {
      const digests = await digestsOf(learner, label)
      if (process.env.ROTA_GOLDEN === 'print') console.log(`${JSON.stringify(name)}: ${JSON.stringify(digests)}`)
      assert.deepEqual(digests, golden.digests[name])
    })
  }
})
