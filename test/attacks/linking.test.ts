import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { inTransactions } from '#app/portal/relay-transactions.ts'
import { type Links, link } from './support/linking-attack.ts'
import { BARE, byLeaders, PROTECTED, playYear } from './support/linking-world.ts'

// given a year of five hospitals with 2,000 patients, and somebody who reads the chain and knows where most tags and grants belong
// ├── with roots at fixed steps, padding and relays' delays, no link is found: tags to hospitals, tags to grants, grants to hospitals
// ├── without them the same attack finds each
// ├── where exact runs go on, a hospital that stops one is seen: a limit that docs/threats.md tells
// ├── where patients may rest, and the leader stops it, none is
// └── withdrawals that are due together share a transaction only when they are many

const BAR = 0.55
const FOUND = 0.9

type World = Awaited<ReturnType<typeof playYear>>

function attack(t: TestContext, { observed, secret }: World): Links {
  const links = link(observed, secret)
  const areas = Object.entries(links).map(([name, area]) => `${name} ${area.toFixed(3)}`)
  t.diagnostic(`${observed.batches.length} transactions with ${secret.tags.size} tags, ${observed.roots.length} roots: ${areas.join(', ')}`)
  return links
}

const year = await playYear('one', { ...PROTECTED, exactRuns: true })
const withoutExactRuns = ({ observed, secret }: World): World => ({ secret, observed: { ...observed, halts: [] } })

describe('linking tags, grants and hospitals by what is on chain', () => {
  it('is guessing, with fixed steps, padding and delays', async (t) => {
    for (const world of [withoutExactRuns(year), await playYear('another', PROTECTED)])
      for (const [name, area] of Object.entries(attack(t, world))) assert.ok(area <= BAR, `${name}: ${area}`)
  })

  it('succeeds without them', async (t) => {
    for (const [name, area] of Object.entries(attack(t, await playYear('one', BARE)))) assert.ok(area > FOUND, `${name}: ${area}`)
  })

  it('succeeds in part where exact runs go on, since a hospital that stops one is seen', (t) => {
    assert.ok(attack(t, year).tagToHospital > BAR, 'a limit that is gone is no longer to be told')
  })

  it('is guessing where exact runs go on, patients may rest, and whoever leads stops a run', (t) => {
    const { observed, secret } = year
    const links = attack(t, { secret, observed: { ...observed, halts: byLeaders(observed.halts) } })
    for (const [name, area] of Object.entries(links)) assert.ok(area <= BAR, `${name}: ${area}`)
  })

  it('finds nobody who withdrew with a known patient: few share no transaction', () => {
    const due = (count: number) => Array.from({ length: count }, (_, i) => i)
    assert.deepEqual(
      inTransactions(due(64)).map((each) => each.length),
      new Array(64).fill(1),
    )
    assert.deepEqual(
      inTransactions(due(65)).map((each) => each.length),
      [20, 20, 20, 5],
    )
    assert.deepEqual(inTransactions(due(65)).flat(), due(65))
    assert.deepEqual(inTransactions([]), [])
  })
})
