import { readFileSync, writeFileSync } from 'node:fs'
import { expect } from 'chai'
import hre from 'hardhat'
import { charges, consents, deepRound, disputes, type Gas, lastSitesRoot, masked, part, tenAndThousand, twentyThree } from './support/gas.ts'

const SNAPSHOT = new URL('../../.gas-snapshot', import.meta.url)
/** Calls cost the same in every run; a percent is left for another compiler's patch. */
const DRIFT = 0.01

/** What each call may cost at most. */
const BARS: Gas = {
  contribute: 70_000,
  'contribute, first of its round': 70_000,
  'contribute, last awaited': 72_000,
  extend: 55_000,
  witness: 65_000,
  'witness, second': 65_000,
  'witness, freezing': 80_000,
  'witness, dearest of a deep round': 140_000,
  'witness, freezing a deep round': 140_000,
  'witness, dearest of a deep round of 4 slices': 140_000,
  'witness, freezing a deep round of 4 slices': 160_000,
  key: 80_000,
  'key, first of its round': 86_000,
  'key, last awaited': 105_000,
  'key, last awaited, deals differ': 108_000,
  'justify, first of its round, 2 kB': 130_000,
  'justify, longest': 3_000_000,
  'justify, nothing to show': 60_000,
  'justify, last awaited': 70_000,
  'contribute, masked': 70_000,
  'publish, masked': 90_000,
  publish: 62_000,
  charge: 60_000,
  'charge, first of a run': 60_000,
  'charge, very first': 60_000,
  'charge, first of a dataset that was not prepared': 72_000,
  'preparing a dataset': 60_000,
  'opening a run of 9 sites': 400_000,
  'opening an accounted run of 9 sites': 500_000,
  attest: 70_000,
  'attest, first of its round': 70_000,
  'attest, closing and opening': 140_000,
  'attest, late': 70_000,
  'withdraw, relayed': 60_000,
  'withdraw, one of a batch of 20': 30_000,
  "site's root": 45_000,
  "site's root, its first of a programme": 45_000,
  "site's root, first of a programme": 45_000,
  "site's root, first of the 256th site": 45_000,
  "site's root, first of three without terms": 60_000,
  'terms of 16 KiB': 500_000,
  'terms of 16 KiB, first version': 2_500_000,
  'dispute, 23 sites of 40 MB': 1_000_000,
  'dispute, 23 sites of 40 MB, its round closed': 1_000_000,
  'dispute, a part of 64 sites of 256': 4_000_000,
  'round of 23 sites': 3_400_000,
  'round of 23 sites, first of a run': 3_600_000,
}

/** Calldata of the dispute of 23 sites. */
const DISPUTE_BYTES = 37_000

/** Bars of calls that write a ring slot for the first time, in a run's first eight rounds. */
const FIRST_BARS: Gas = { 'contribute, first of its round': 100_000, 'attest, closing and opening': 230_000 }

describe('Gas', () => {
  const measured: Gas = {}

  before(async function () {
    if (hre.globalOptions.coverage) {
      console.log('    gas is not measured under --coverage: instrumented code costs more')
      this.skip()
    }
    this.timeout(60_000)
    const { first, steady } = await twentyThree()
    const { attested, closed, calldata } = await disputes()
    const [deep, sliced] = [await deepRound(1), await deepRound(4)]
    Object.assign(measured, steady.calls, await masked(), {
      'witness, dearest of a deep round': deep.dearest,
      'witness, freezing a deep round': deep.freezing,
      'witness, dearest of a deep round of 4 slices': sliced.dearest,
      'witness, freezing a deep round of 4 slices': sliced.freezing,
      ...(await consents()),
      ...(await charges()),
      "site's root, first of the 256th site": await lastSitesRoot(),
      'dispute, 23 sites of 40 MB': attested,
      'dispute, 23 sites of 40 MB, its round closed': closed,
      'dispute, a part of 64 sites of 256': await part(),
      'round of 23 sites': steady.total,
      'round of 23 sites, first of a run': first.total,
    })
    expect(calldata, 'bytes of calldata of a dispute').to.be.at.most(DISPUTE_BYTES)
    for (const [name, bar] of Object.entries(FIRST_BARS)) expect(first.calls[name], `${name} in round 1`).to.be.at.most(bar)
  })

  for (const [name, bar] of Object.entries(BARS)) {
    it(`${name} costs at most ${bar.toLocaleString('en')}`, () => {
      expect(measured[name]).to.be.at.most(bar)
    })
  }

  it('is what .gas-snapshot says (UPDATE_GAS_SNAPSHOT=1 writes it anew)', () => {
    if (process.env.UPDATE_GAS_SNAPSHOT === '1')
      writeFileSync(
        SNAPSHOT,
        Object.keys(BARS)
          .map((name) => `${name}: ${measured[name]}\n`)
          .join(''),
      )
    const lines = readFileSync(SNAPSHOT, 'utf8').trim().split('\n')
    const kept = new Map(lines.map((line) => line.split(': ') as [string, string]))
    expect([...kept.keys()]).to.deep.equal(Object.keys(BARS))
    for (const [name, gas] of kept) expect(measured[name], name).to.be.closeTo(Number(gas), Math.ceil(Number(gas) * DRIFT))
  })

  it('costs a site the same in round 1,000 as in round 10', async function () {
    this.timeout(110_000)
    const { ten, thousand } = await tenAndThousand()
    // A round's number has one byte more that is not zero, and digests may have a few less: 12 gas each.
    for (const [name, gas] of Object.entries(ten)) expect(thousand[name], name).to.be.closeTo(gas, 150)
  })
})
