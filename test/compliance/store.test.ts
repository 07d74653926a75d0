import { readFile, writeFile } from 'node:fs/promises'
import type { Stream } from '@libp2p/interface'
import { BlockFiles } from '#adapters/store/block-files.ts'
import { BLOCK_PROTOCOL, decodeRequest, REQUEST_BYTES, sendBlock } from '#adapters/store/block-wire.ts'
import { rootCid } from '#adapters/store/cids.ts'
import { leavesOf } from '#adapters/store/dag.ts'
import { loadHelia } from '#adapters/store/load-helia.ts'
import type { Digest, SiteId } from '#base/ids.ts'
import { type TestNode, TestWorld } from '../unit/network/world.ts'
import { type StoreFaults, storeCompliance } from './store.ts'

storeCompliance('light Helia over libp2p, four hosts', async () => {
  const world = await TestWorld.of(4, { noProgressMs: 1_000 })
  const members = [...world.nodes]
  return {
    sites: members,
    async stranger() {
      const stranger = await world.add(99)
      stranger.members.set([...members[0]!.members.list(), ...stranger.members.list()])
      return stranger.store
    },
    during: (work) => work,
    faults: faultsOf(members),
    stop: () => world.stop(),
  }
})

function faultsOf(members: readonly TestNode[]): StoreFaults {
  const nodeOf = (site: SiteId) => members.find((node) => node.site === site)!
  const serve = async (site: SiteId, answer: (stream: Stream, block: Uint8Array | null, served: number) => Promise<void>) => {
    const { network, store, served: streams } = nodeOf(site)
    await network.unserve(BLOCK_PROTOCOL)
    for (const stream of streams) stream.abort(new Error('served in another way from now on'))
    await network.serve(BLOCK_PROTOCOL, async (stream) => {
      let served = 0
      let rest: Uint8Array = new Uint8Array(0)
      for await (const part of stream) {
        rest = Buffer.concat([rest, part.subarray()])
        for (; rest.length >= REQUEST_BYTES; rest = rest.subarray(REQUEST_BYTES)) {
          const { cid } = decodeRequest(rest.subarray(0, REQUEST_BYTES))
          await answer(stream, await store.getBlock(cid.toString()), served++)
          if (stream.writeStatus !== 'writable') return
        }
      }
    })
  }
  const send = (stream: Stream, block: Uint8Array | null) => sendBlock(stream, block, 1_000, members[0]!.site)

  return {
    corrupt: (site, cid) => corrupt(nodeOf(site), cid),
    lie: (site) => serve(site, (stream, block) => send(stream, new Uint8Array(block?.length ?? 100))),
    endEarly: (site, blocks) => serve(site, (stream, block, served) => (served === blocks ? stream.close() : send(stream, block))),
    async dieAfter(site, blocks) {
      let left = blocks
      await serve(site, async (stream, block) => {
        if (left-- > 0) return send(stream, block)
        void nodeOf(site).stop()
        await stream.close()
      })
    },
    stall: (site) => serve(site, async () => undefined),
  }
}

/** Flips a byte in the file of the object's last leaf. */
async function corrupt(node: TestNode, cid: Digest): Promise<void> {
  const files = new BlockFiles(node.dir)
  const { codec, helia } = await loadHelia(files, { name: 'none' })
  const leaves = await leavesOf(rootCid(cid), { node: async (block) => (await files.read(block, true))!, codec })
  await helia.stop()
  const path = files.pathOf(leaves.at(-1)!.cid)
  const bytes = await readFile(path)
  bytes[bytes.length >> 1]! ^= 1
  await writeFile(path, bytes)
}
