import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { sha256 } from '#app/sha256.ts'
import { toDigest } from '#base/bytes.ts'
import type { StartModel } from '#core/protocol/protocol.ts'
import type { ChainEvent } from '#ports/chain.ts'
import { encodeProtocol } from '#wire/protocol.ts'
import { smallestNetwork } from '../../support/studies.ts'
import { audit, buildWorld, type World } from './audit-world.ts'

// given a run of a network that goes on from a model of another run, which its protocol names
// ├── every round is recomputed, the first one from the stored model
// └── a run that began with another model than the protocol names is told

const learner = smallestNetwork('start')

const dir = await mkdtemp(join(tmpdir(), 'rota-audit-start-'))
after(() => rm(dir, { recursive: true, force: true }))
const world = await buildWorld(dir, { learner, rounds: 3 })
const left = world.events.find((e) => e.kind === 'RoundClosed')
assert.ok(left?.kind === 'RoundClosed')

/** The log as if its second round were the first of a run that goes on from what the first one left. */
async function goingOn({ store, protocol, events }: World, start: StartModel): Promise<readonly ChainEvent[]> {
  const bytes = encodeProtocol({ ...protocol, start })
  const published = { protocolDigest: toDigest(sha256(bytes)), protocolCid: await store.putPlain(bytes, new AbortController().signal) }
  const { modelRoot, modelCid } = left as Extract<ChainEvent, { kind: 'RoundClosed' }>
  return events.flatMap((e): readonly ChainEvent[] => {
    if (e.kind === 'StudyPublished') return [{ ...e, ...published }]
    if (e.kind === 'RunOpened') return [{ ...e, modelRoot, modelCid }]
    return 'round' in e && e.round === 1 ? [] : [e]
  })
}

const named = { run: 9, round: 1, root: left.modelRoot, cid: left.modelCid }

describe('the audit of a run that goes on from another', () => {
  it('recomputes every round', async () => {
    const { ok, rounds, faults, notes } = await audit(world, { events: await goingOn(world, named) })
    assert.deepEqual([ok, faults, notes], [true, [], []])
    assert.deepEqual(
      rounds.map(({ round, verdict }) => [round, verdict === 'recomputed']),
      [
        [2, true],
        [3, true],
      ],
    )
  })

  it('tells of a run that began with another model', async () => {
    const { ok, faults } = await audit(world, { events: await goingOn(world, { ...named, root: `0x${'11'.repeat(32)}` }) })
    assert.equal(ok, false)
    assert.match(faults.map(({ message }) => message).join('; '), /began with model .* and its protocol names/)
  })
})
