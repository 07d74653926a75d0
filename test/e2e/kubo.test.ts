/**
 * A hospital's own IPFS node (Kubo), behind the opt-in bitswap
 * ├── pins a round's encrypted objects from the site: every block, by its CID
 * ├── gives back what no member has: a site reads an object that only Kubo holds, and one that nobody holds is an error soon
 * ├── pins all that a round of real nodes has left on the chain
 * ├── is nobody to a site that does not know it, and a stranger to it is let in nowhere
 * └── a config with an address that is none is refused
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { appendFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectChain } from '#adapters/chain/ethers-chain.ts'
import { type Bitswap, startBitswap } from '#adapters/store/bitswap.ts'
import type { BlockNetwork } from '#adapters/store/block-network.ts'
import { digestOf, rootCid } from '#adapters/store/cids.ts'
import { type HeliaModelStore, startModelStore } from '#adapters/store/helia-model-store.ts'
import { sha256 } from '#app/sha256.ts'
import { type ErrorCode, isRotaError } from '#base/errors.ts'
import { address, type Digest, type RunId, type StudyId } from '#base/ids.ts'
import { outlineOf } from '#core/commit/outline.ts'
import type { Log } from '#ports/host.ts'
import { type Hospitals, makeHospitals } from '../support/hospitals.ts'
import { type Kubo, noKubo, startKubo } from '../support/kubo.ts'
import { generatedStudy } from '../support/studies.ts'

const quiet: Log = { info() {}, warn() {}, error() {}, debug() {} }
const alone: BlockNetwork = {
  connected: () => [],
  serve: async () => undefined,
  unserve: async () => undefined,
  open: () => Promise.reject(new Error('nobody')),
}
const seedOf = (name: string): Uint8Array => createHash('sha256').update(name).digest()
const signal = AbortSignal.timeout(110_000)
const key = seedOf('epoch')
const fails = (call: Promise<unknown>, code: ErrorCode) =>
  assert.rejects(call, (error) => isRotaError(error, code) || assert.fail(`wanted ${code}: ${String(error)}`))

interface Site {
  readonly store: HeliaModelStore
  readonly bitswap: Bitswap
  stop(): Promise<void>
}

async function startSite(dir: string, peers: readonly string[], listen: readonly string[] = []): Promise<Site> {
  const bitswap = await startBitswap({ dir, seed: seedOf(dir), listen, peers, log: quiet })
  const store = await startModelStore({ dir, network: alone, log: quiet, beyond: bitswap.fetch })
  return {
    store,
    bitswap,
    async stop() {
      await store.stop()
      await bitswap.stop()
    },
  }
}

describe('a Kubo node of a hospital', { timeout: 120_000, skip: noKubo }, () => {
  let dir: string
  let kubo: Kubo
  let site: Site
  let other: Site
  const bytes = Uint8Array.from({ length: 3_500_000 }, (_, i) => (i * 2_654_435_761) >>> 24)

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'rota-kubo-'))
    kubo = await startKubo(join(dir, 'kubo'))
    site = await startSite(join(dir, 'site'), [kubo.address])
    other = await startSite(join(dir, 'other'), [kubo.address])
    for (const each of [site, other]) await connected(each)
  })
  after(async () => {
    await site?.stop()
    await other?.stop()
    await kubo?.stop()
    await rm(dir, { recursive: true, force: true })
  })

  async function connected({ bitswap }: Site): Promise<void> {
    for (const end = Date.now() + 20_000; Date.now() < end; await sleep(50)) if ((await kubo.ipfs('swarm', 'peers')).includes(bitswap.peerId)) return
    assert.fail('not connected within 20 s')
  }
  const pin = async (cid: Digest) => kubo.ipfs('pin', 'add', '--recursive', rootCid(cid).toString())

  it('pins an encrypted object of a site, and a site that lacks it reads it from there', async () => {
    const ref = await site.store.put(bytes, outlineOf(bytes, sha256), 'update', key, signal)
    await fails(other.store.get(ref, key, signal), 'ROTA-4010')
    await pin(ref.cid)
    const held = (await kubo.ipfs('refs', '--recursive', '--unique', rootCid(ref.cid).toString())).split('\n')
    assert.ok(held.length >= 4, `${held.length} blocks below the root`)
    // What Kubo holds is what was sealed: no block tells the plaintext.
    for (const cid of held) {
      const block = await kubo.block(cid)
      for (let at = 0; at < bytes.length; at += 10_000) assert.ok(!block.includes(Buffer.from(bytes.subarray(at, at + 16))), `${cid} tells byte ${at}`)
    }
    await site.stop()
    assert.deepEqual(await other.store.get(ref, key, signal), bytes)
    assert.ok(await other.store.has(ref.cid))
    site = await startSite(join(dir, 'site'), [kubo.address])
    await connected(site)
  })

  it('gives what a person added there, and a plain object too', async () => {
    const text = new TextEncoder().encode('title: a protocol\n')
    const cid = await other.store.putPlain(text, signal)
    await pin(cid)
    assert.deepEqual(await site.store.getPlain(cid, signal), text)
  })

  it('is asked in vain for what nobody has, and that is told soon', async () => {
    const began = performance.now()
    await fails(site.store.getPlain(digestOf(rootCid(`0x${'42'.repeat(32)}` as Digest)), signal), 'ROTA-4010')
    assert.ok(performance.now() - began < 20_000)
  })

  it('cannot reach a site that does not name it, nor can a stranger', async () => {
    const closed = await startSite(join(dir, 'closed'), [`/ip4/127.0.0.1/tcp/1/p2p/${site.bitswap.peerId}`], ['/ip4/127.0.0.1/tcp/0'])
    try {
      const cid = await closed.store.putPlain(new TextEncoder().encode('not for Kubo'), signal)
      const address = closed.bitswap.addresses()[0] ?? assert.fail('no address')
      await kubo.ipfs('swarm', 'connect', address).catch(() => '')
      await assert.rejects(kubo.ipfs('block', 'get', '--timeout=2s', rootCid(cid).toString()))
    } finally {
      await closed.stop()
    }
  })
})

describe('a round beside Kubo', { timeout: 300_000, skip: noKubo }, () => {
  it('leaves nothing on the chain that Kubo cannot fetch from the one site that named it', async () => {
    const study = generatedStudy({ sites: 3, rows: 60, learner: { kind: 'statistics', bins: 20 } })
    const hospitals = await makeHospitals(study.sites, study.cohort.label.name)
    const kubo = await startKubo(join(hospitals.dir, 'kubo'))
    try {
      await appendFile(join(hospitals.folders[0] as string, 'rota.yaml'), `bitswap:\n  peers:\n    - ${kubo.address}\n`)
      await hospitals.startAll()
      const run = await openedWhenReady(hospitals, await hospitals.publish(study.protocol))
      await Promise.all(hospitals.nodes.map((node) => node?.until((e) => e.event === 'run-over' && e.run === run, 120_000)))
      const cids = await cidsOf(hospitals, run)
      assert.ok(cids.size >= 5, 'three updates, a sum, a model')
      for (const cid of cids) await kubo.ipfs('pin', 'add', '--recursive', rootCid(cid).toString())
      const pinned = await kubo.ipfs('pin', 'ls', '--type=recursive', '--quiet')
      for (const cid of cids) assert.ok(pinned.includes(rootCid(cid).toString()))
    } finally {
      await kubo.stop()
      await hospitals.stop()
    }
  })
})

/** What a run's rounds named: updates, sums, models. */
async function cidsOf(hospitals: Hospitals, run: RunId): Promise<ReadonlySet<Digest>> {
  const chain = await connectChain({ url: hospitals.chain.url, contracts: address(hospitals.contracts), signer: null })
  try {
    const events = await chain.events(0, { run })
    return new Set(
      events.flatMap((e) => (e.kind === 'Contributed' ? [e.cid] : e.kind === 'Published' ? [e.sumCid] : e.kind === 'RoundClosed' ? [e.modelCid] : [])),
    )
  } finally {
    await chain.stop()
  }
}

/** As soon as the study's key is drawn and here. */
async function openedWhenReady(hospitals: Hospitals, study: StudyId): Promise<RunId> {
  for (const end = Date.now() + 60_000; ; await sleep(500)) {
    try {
      return await hospitals.openRun(study)
    } catch (error) {
      if (!isRotaError(error) || error.reaction !== 'retry' || Date.now() > end) throw error
    }
  }
}

describe('bitswap', () => {
  it('refuses an address that is none, or that names no peer', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'rota-bitswap-'))
    const start = (peers: readonly string[], listen: readonly string[] = []) => startBitswap({ dir, seed: seedOf('x'), peers, listen, log: quiet })
    await fails(start(['kubo.example:4001']), 'ROTA-4008')
    await fails(start(['/ip4/127.0.0.1/tcp/4001']), 'ROTA-4008')
    const peer = '/ip4/127.0.0.1/tcp/4001/p2p/12D3KooWCVGeJENf8gV7bLwkDcXPyLUbE62MujLSR2HqrsPHp2DK'
    await fails(start([peer], ['nowhere']), 'ROTA-4008')
    await fails(start([peer], ['/ip4/192.0.2.1/tcp/0']), 'ROTA-4004')
    await rm(dir, { recursive: true })
  })
})
