import assert from 'node:assert/strict'
import { it } from 'node:test'
import { systemRandom } from '#adapters/host/system-host.ts'
import { vaultOf } from '#adapters/vault/secrets-vault.ts'
import { sha256 } from '#app/sha256.ts'
import { type RunId, roundNo, runId, siteId } from '#base/ids.ts'
import { createWishes, isWish, sealWish, WISH_EVERY_MS } from '#round/wishes.ts'
import { decodeMessage } from '#wire/message.ts'
import { encodeWish } from '#wire/wish.ts'

// given members who say in each round whether they wish an exact run to be halted
// ├── yes and no are of one size, and only the round's key tells them apart
// ├── what another site, or another round, sealed is no wish; nor is what another key seals
// ├── rounds far away, and who speaks without a pause, are not listened to
// └── runs that a site had halted are counted for a day, each once

const vault = vaultOf(
  { node: new Uint8Array(32).fill(1), peer: new Uint8Array(32), encryption: new Uint8Array(32).fill(2), site: new Uint8Array(32) },
  systemRandom,
)
const site = { vault, sha256 }
const round = { key: new Uint8Array(32).fill(7) }
const at = { run: runId(3), round: roundNo(2), site: siteId(1) }
const yes = sealWish(site, round, { ...at, wishes: true })
const no = sealWish(site, round, { ...at, wishes: false })

it('a wish is read by members alone, and has the size of none', () => {
  assert.equal(encodeWish({ kind: 'wish', ...at, sealed: yes }).length, encodeWish({ kind: 'wish', ...at, sealed: no }).length)
  assert.deepEqual(decodeMessage(encodeWish({ kind: 'wish', run: at.run, round: at.round, sealed: yes })), { kind: 'wish', run: 3, round: 2, sealed: yes })
  assert.deepEqual([isWish(site, round, yes, at), isWish(site, round, no, at)], [true, false])
  assert.notDeepEqual(sealWish(site, round, { ...at, wishes: true }), yes, 'no two are alike')
  assert.equal(isWish(site, { key: new Uint8Array(32).fill(8) }, yes, at), false)
})

it('a wish counts from its own site and in its own round', () => {
  assert.equal(isWish(site, round, yes, { ...at, site: siteId(2) }), false)
  assert.equal(isWish(site, round, yes, { ...at, round: roundNo(3) }), false)
  assert.equal(isWish(site, round, yes, { ...at, run: runId(4) }), false)
  assert.equal(isWish(site, round, vault.seal(new Uint8Array(11), round.key), at), false, 'sealed with the bare key')
})

it('far rounds and a flood of words are not listened to', () => {
  const clock = { now: 1_000_000, nowMs: () => clock.now }
  const rounds = new Map<RunId, number>([[at.run, 2]])
  const wishes = createWishes(rounds, clock)
  const word = (round: number, sealed = no) => ({ kind: 'wish', run: at.run, round: roundNo(round), sealed }) as const
  assert.deepEqual(
    [1, 2, 3, 4].map((round) => wishes.take(siteId(1), word(round))),
    [true, true, true, false],
  )
  wishes.hear(siteId(1), word(2))
  assert.deepEqual([wishes.take(siteId(1), word(2, yes)), wishes.take(siteId(2), word(2))], [false, true])
  clock.now += WISH_EVERY_MS
  assert.equal(wishes.take(siteId(1), word(2, yes)), true)
  wishes.hear(siteId(1), word(2, yes))
  assert.deepEqual([...wishes.of(at.run, at.round)], [[siteId(1), yes]])
  assert.deepEqual([...wishes.of(at.run, roundNo(3))], [])
  rounds.delete(at.run)
  assert.equal(wishes.take(siteId(2), word(2)), false)
})

it('runs that a site had halted are counted for a day', () => {
  const clock = { now: 0, nowMs: () => clock.now }
  const wishes = createWishes(new Map(), clock)
  const hours = 3_600_000
  assert.deepEqual([wishes.count(siteId(1), runId(1)), wishes.count(siteId(1), runId(1)), wishes.count(siteId(2), runId(1))], [1, 1, 1])
  clock.now = 20 * hours
  assert.equal(wishes.count(siteId(1), runId(2)), 2)
  clock.now = 25 * hours
  assert.equal(wishes.count(siteId(1), runId(3)), 2)
})
