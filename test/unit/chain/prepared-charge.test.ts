import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { connectChain, type EthersChain } from '#adapters/chain/ethers-chain.ts'
import { interfaces } from '#adapters/chain/link.ts'
import { jsonRpc } from '#adapters/devchain/machine.ts'
import { type Digest, digest, type RunId, roundNo, type StudyId } from '#base/ids.ts'
import { anvilWorld, keyOf } from '../../compliance/ethers-world.ts'

// given an accounted study on a chain of its own
// └── each charge costs at most 60,000 gas, the first of a dataset and of a run too; a dataset is prepared once, also where a node was started again
const lanes = (n: bigint): bigint => Array.from({ length: 8 }, (_, i) => n << BigInt(32 * i)).reduce((all, one) => all | one)
const named = (n: number): Digest => digest(`0x${`${n}`.padStart(64, '0')}`)
const STUDY = { minSites: 2, quorum: 1, maxRounds: 9, exact: false, limit: { seconds: 600, blocks: 400 }, policy: { charge: lanes(1n), limit: lanes(99n) } }

describe('charges', { timeout: 60_000 }, () => {
  let world: Awaited<ReturnType<typeof anvilWorld>>
  let again: EthersChain

  before(async () => {
    world = await anvilWorld(2)
    again = await connectChain({ url: world.devChain.url, contracts: world.contracts, signer: keyOf(0, 'node') })
  })
  after(async () => {
    await again?.stop()
    await world?.stop()
  })

  const first = () => world.chains[0] as EthersChain
  const open = async (study: StudyId): Promise<RunId> => first().openRun(study, { root: named(1), cid: named(2) })
  /** Calls of the ledger by their method, with what each cost, in the order of the chain. */
  const calls = async (): Promise<{ readonly method: string; readonly gas: number }[]> => {
    const { devChain } = world
    const ask = async <T>(method: string, ...params: readonly unknown[]) => (await jsonRpc(devChain.port, method, params)) as T
    const found: { method: string; gas: number }[] = []
    for (let block = 0, end = Number(await ask<string>('eth_blockNumber')); block <= end; block++) {
      const { transactions } = await ask<{ transactions: { hash: string; to: string | null; input: string }[] }>(
        'eth_getBlockByNumber',
        `0x${block.toString(16)}`,
        true,
      )
      for (const { hash, to, input } of transactions) {
        if (to?.toLowerCase() !== first().link.addresses.PrivacyLedger.toLowerCase()) continue
        const { gasUsed, status } = await ask<{ gasUsed: string; status: string }>('eth_getTransactionReceipt', hash)
        assert.equal(Number(status), 1)
        found.push({ method: interfaces.PrivacyLedger.parseTransaction({ data: input })?.name ?? input, gas: Number(gasUsed) })
      }
    }
    return found
  }

  it('cost at most 60,000 gas each, the first of a dataset and of a run too, and prepare a dataset once', async () => {
    const study = await world.makeStudy(STUDY)
    const [one, two] = [await open(study), await open(study)]
    await first().charge(one, roundNo(1), named(7))
    await first().charge(one, roundNo(2), named(7))
    await first().charge(one, roundNo(3), named(8))
    await again.charge(two, roundNo(1), named(7))
    const all = await calls()
    assert.deepEqual(
      all.map(({ method }) => method),
      ['setPolicy', 'prepare', 'charge', 'charge', 'prepare', 'charge', 'charge'],
    )
    for (const { method, gas } of all) if (method !== 'setPolicy') assert.ok(gas <= 60_000, `${method} costs ${gas}`)
  })
})
