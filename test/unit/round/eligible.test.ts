import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { DifferencingLedger } from '#adapters/cohort/differencing-ledger.ts'
import { type Digest, roundNo, runId, siteId } from '#base/ids.ts'
import type { Chain } from '#ports/chain.ts'
import { claimCohort } from '#round/steps/eligible.ts'

// given two exact runs that come to use two cohorts at the same moment
// ├── when the cohorts differ by one patient, one run gets its own, and the other is refused
// └── when they are equal, both get it

const patients = (from: number, to: number): Digest[] =>
  Array.from({ length: to - from }, (_, i) => `0x${(from + i).toString(16).padStart(2, '0').repeat(32)}` as Digest)

async function claimBoth(a: readonly Digest[], b: readonly Digest[]) {
  const folder = await mkdtemp(join(tmpdir(), 'rota-claims-'))
  try {
    const site = {
      id: siteId(0),
      chain: { events: async () => [] } as unknown as Chain,
      differencing: new DifferencingLedger(join(folder, 'differencing.jsonl')),
    }
    const claim = (patients: readonly Digest[], run: number) => {
      const root = patients[0] as Digest
      return claimCohort(site, { patients, testing: [], rootIn: () => root }, { run: runId(run), round: roundNo(1), root })
    }
    return await Promise.all([claim(a, 1), claim(b, 2)])
  } finally {
    await rm(folder, { recursive: true })
  }
}

describe('claiming a cohort', () => {
  it('refuses the second of two that differ by one patient', async () => {
    const [first, second] = await claimBoth(patients(0, 40), patients(1, 40))
    assert.equal(first, null)
    assert.equal(second?.reason, 'differencing')
  })

  it('lets both have the same', async () => {
    assert.deepEqual(await claimBoth(patients(0, 40), patients(0, 40)), [null, null])
  })
})
