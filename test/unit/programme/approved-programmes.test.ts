/**
 * The programmes of the studies that a site approved
 * given protocols that are not here yet, or do not come in time, the others are found, the log says so once, and they are asked for again
 * given an error that is none of Rota's, it goes up
 */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { digestOf } from '#adapters/sim/hash.ts'
import { SimWorld } from '#adapters/sim/world.ts'
import { approvedProgrammes } from '#app/node/node-consents.ts'
import { sha256 } from '#app/sha256.ts'
import { RotaError } from '#base/errors.ts'
import { type Digest, siteId } from '#base/ids.ts'
import { encodeProtocol, protocolDigest } from '#wire/protocol.ts'
import { protocolWith } from '../cohort/support.ts'

it('are found as their protocols come; only errors of Rota and time-outs wait', async () => {
  const world = SimWorld.create({ seed: 'approved', sites: 1 })
  const chain = world.node(world.site(siteId(0)))
  const protocols = ['heart', 'lung'].map((programme) => protocolWith({ programme }))
  const bytes = new Map(protocols.map((protocol) => [protocol.programme, encodeProtocol(protocol)]))
  for (const protocol of protocols) await world.publishStudy(protocolDigest(protocol, sha256), protocol.programme as Digest, RULES)
  const trouble: Record<string, unknown> = { heart: new RotaError('ROTA-4010', {}), lung: new DOMException('late', 'TimeoutError') }
  const told: unknown[] = []
  const store = {
    async getPlain(cid: Digest): Promise<Uint8Array> {
      if (trouble[cid] !== undefined) throw trouble[cid]
      return bytes.get(cid) ?? assert.fail()
    },
  }
  const log = { warn: (event: string, fields?: object) => void told.push([event, fields]) }
  const approved = approvedProgrammes({ chain, site: { id: siteId(0), store }, log })
  assert.deepEqual([await approved(), await approved()], [[], []])
  assert.deepEqual(told, [
    ['consent.protocol-waits', { study: 1, code: 'ROTA-4010' }],
    ['consent.protocol-waits', { study: 2, code: 'TimeoutError' }],
  ])
  delete trouble['lung']
  assert.deepEqual(await approved(), ['lung'])
  trouble['heart'] = new TypeError('a mistake of ours')
  await assert.rejects(approved(), /a mistake of ours/)
  delete trouble['heart']
  assert.deepEqual(await approved(), ['heart', 'lung'])
  world.stop()
})

const RULES = {
  ...{ minSites: 1, quorum: 1, maxRounds: 5, slices: 1, exact: false, arithmeticVersion: digestOf('golden') },
  wordBits: 64,
  mode: 'open',
  limits: Array.from({ length: 5 }, () => ({ seconds: 60, blocks: 40 })),
} as const
