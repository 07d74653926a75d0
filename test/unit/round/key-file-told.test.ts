import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { digestOf } from '#adapters/sim/hash.ts'
import { bitmapOf } from '#base/bitmap.ts'
import { RotaError } from '#base/errors.ts'
import { roundNo, runId, siteId } from '#base/ids.ts'
import { keyAgain } from '#round/masking/key.ts'
import { keyFileWord } from '#round/masking/said.ts'
import type { Play, Round } from '#round/play.ts'

// given a site that keys in a masked round
// ├── when a member took what it told, it does not tell it again with its update
// └── when nobody took it, or its network failed, it does

const signal = new AbortController().signal
const at = { run: runId(1), round: roundNo(1) }
const base = digestOf('model')
const round = { ...at, view: { model: { root: base } } } as unknown as Round

/** @param publish what becomes of the words while it keys @returns how many words go along with its update */
async function toldWithUpdate(publish: () => Promise<number>): Promise<number> {
  const entry = { kind: 'keyed', ...at, base, root: digestOf('root'), cid: digestOf('cid'), held: bitmapOf([siteId(0)]), shares: '' }
  const site = {
    journal: { entries: () => [entry] },
    gossip: { publish },
    host: { log: { warn: () => undefined } },
    chain: { key: async () => undefined },
  }
  const play = { site, masked: { round: at.round, ownFile: new Uint8Array(8), isFileTold: false } } as unknown as Play
  await keyAgain(play, round, signal)
  return (await keyFileWord(play, round, signal)).length
}

describe('what a site keyed with', () => {
  it('is told once where somebody took it', async () => {
    assert.equal(await toldWithUpdate(async () => 1), 0)
  })

  it('is told again with the update where nobody did', async () => {
    assert.equal(await toldWithUpdate(async () => 0), 1)
    assert.equal(await toldWithUpdate(() => Promise.reject(new RotaError('ROTA-4002', { size: 2, limit: 1 }))), 1)
  })
})
