import { execFile } from 'node:child_process'
import { join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import { deployNetwork } from '#adapters/chain/deploy.ts'
import { connectChain, type EthersChain } from '#adapters/chain/ethers-chain.ts'
import { openEndpoint } from '#adapters/chain/link.ts'
import { openSender } from '#adapters/chain/sender.ts'
import { sendTo, writerOf } from '#adapters/chain/writer.ts'
import { startAnvil } from '#adapters/devchain/anvil.ts'
import { jsonRpc } from '#adapters/devchain/machine.ts'
import { systemRandom } from '#adapters/host/system-host.ts'
import { type OpenVault, vaultOf } from '#adapters/vault/secrets-vault.ts'
import { sha256 } from '#app/sha256.ts'
import { toDigest, toHex } from '#base/bytes.ts'
import { programmeId } from '#patient/keys.ts'
import { consentDomain } from '#patient/typed-data.ts'
import { type SignedWithdrawal, signWithdrawal } from '#patient/withdrawal.ts'
import type { ChainEventBody } from '#ports/chain.ts'
import { checkedInBrowser, type ProofToCheck, type SampleToCheck } from './browser-check.ts'
import { type Figure, figureOf } from './figures.ts'
import type { Row } from './row.ts'

const PATIENTS = 100_000
const WITHDRAWALS = 10_000
const SITES = 5
const BATCH = 20
const LIMIT_MS = 600_000
const PROGRAMME = 'bench'
const IN_2100 = 4_102_444_800

interface Measured {
  readonly madeS: number
  readonly madeCpuS: number
  readonly proofBytes: number
  readonly checkedS: readonly number[]
  readonly toCheck: ProofToCheck
  readonly sample: {
    readonly madeS: number
    readonly madeCpuS: number
    readonly bytes: readonly number[]
    readonly checkedS: readonly number[]
    readonly toCheck: SampleToCheck
  }
  readonly openedS: number
  readonly judgedS: number
  readonly openingBytes: number
  readonly rootS: readonly number[]
  readonly left: number
  readonly rssBytes: number
}

/** Proofs about a large cohort, a day on which many withdraw, and what the chain takes for it. */
export async function consentRows(): Promise<Row[]> {
  const script = join(import.meta.dirname, 'consent.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [script, `${PATIENTS}`, `${WITHDRAWALS}`, `${SITES}`], { timeout: LIMIT_MS, maxBuffer: 1e7 })
  const m = JSON.parse(stdout) as Measured
  const row = (work: string, unit: string, rota: Figure, bar: number, note?: string): Row => ({
    work,
    unit,
    rota,
    bar,
    peers: [],
    ...(note === undefined ? {} : { note }),
  })
  const opened = `${m.madeCpuS.toFixed(1)} s of CPU; an auditor is shown all of it in ${m.openedS.toFixed(1)} s and ${(m.openingBytes / 1e6).toFixed(0)} MB, and checks that in ${m.judgedS.toFixed(1)} s; ${(m.rssBytes / 1e6).toFixed(0)} MB of memory at most`
  const inBrowser = await checkedInBrowser(m.toCheck, m.sample.toCheck)
  const { sample } = m
  return [
    row('proof about one receipt, a cohort of 100,000', 's', one(m.madeS), 5, opened),
    row('size of that proof', 'kB', one(m.proofBytes / 1e3), 4),
    row('check of that proof, in Node', 'ms', figureOf(m.checkedS.map((seconds) => 1e3 * seconds)), 20),
    ...(inBrowser === null
      ? []
      : [row('check of that proof, in a browser', 'ms', figureOf(inBrowser.proof), 20, `${inBrowser.proof[0]?.toFixed(1)} ms the first time`)]),
    row('500 members of a cohort of 100,000 drawn by lot', 's', one(sample.madeS), 5, `${sample.madeCpuS.toFixed(1)} s of CPU`),
    row('size of the proof of one of them', 'kB', figureOf(sample.bytes.map((bytes) => bytes / 1e3)), 4),
    row('check of one of them, in Node', 'ms', figureOf(sample.checkedS.map((seconds) => 1e3 * seconds)), 20, 'beside 1,000 withdrawals'),
    ...(inBrowser === null
      ? []
      : [
          row(
            'check of one of them, in a browser',
            'ms',
            figureOf(inBrowser.sample),
            20,
            `${inBrowser.sample[0]?.toFixed(1)} ms the first time; all 500 in ${inBrowser.wholeMs.toFixed(0)} ms`,
          ),
        ]),
    row('root of a site after its share of 10,000 withdrawals in a day', 's', figureOf(m.rootS), 2),
    row('of 10,000 withdrawals in a day at 5 sites, left in the next epoch', 'consents', one(m.left), 0),
    ...(await gasRows(row)),
  ]
}

const one = (value: number): Figure => ({ median: value, low: value, high: value })

/** By the receipts of transactions on a chain of its own. */
export async function gasRows(row: (work: string, unit: string, rota: Figure, bar: number, note?: string) => Row): Promise<Row[]> {
  const devChain = await startAnvil()
  try {
    const secret = () => systemRandom.bytes(32)
    const founder = vaultOf({ node: secret(), peer: secret(), encryption: secret(), site: secret() }, systemRandom)
    const [steward, recovery] = [0, 1].map(() => vaultOf({ node: secret(), peer: secret(), encryption: secret(), site: secret() }, systemRandom)) as [
      OpenVault,
      OpenVault,
    ]
    const endpoint = await openEndpoint({ url: devChain.url })
    const details = {
      name: 'a hospital',
      node: founder.nodeAccount,
      steward: steward.nodeAccount,
      recovery: recovery.nodeAccount,
      peerId: 'a peer',
      encryptionKey: founder.encryptionKey,
      multiaddrs: [],
    }
    const { directory } = await deployNetwork(endpoint, [details], toHex(secret())).finally(() => endpoint.rpc.stop())
    const chain = await connectChain({ url: devChain.url, contracts: directory, signer: founder.nodeKey })
    try {
      return await measureGas(chain, steward.nodeKey, devChain.port, row)
    } finally {
      await chain.stop()
    }
  } finally {
    await devChain.stop()
  }
}

async function measureGas(chain: EthersChain, stewardKey: string, port: number, row: Parameters<typeof gasRows>[0]): Promise<Row[]> {
  const id = programmeId(PROGRAMME)
  const signed = (): SignedWithdrawal => signWithdrawal(systemRandom.bytes(16), PROGRAMME, consentDomain(chain.chainId, chain.link.addresses.ConsentRegistry))
  const gasOf = async (kind: ChainEventBody['kind']): Promise<number> => {
    const tx = (await chain.events(0, { kinds: [kind] })).at(-1)?.tx
    return Number(((await jsonRpc(port, 'eth_getTransactionReceipt', [tx])) as { readonly gasUsed: string }).gasUsed)
  }
  const text = new TextEncoder().encode('what is agreed to')
  const terms = { version: 1, digest: toDigest(sha256(text)), basis: 'consent', ombudsman: null, expiresAt: IN_2100, text: toHex(text) } as const
  await writerOf(sendTo(chain.link, openSender(chain.link, stewardKey))).publishTerms(id, terms)
  const rootIn = async (epoch: number): Promise<number> => {
    await chain.consentRoot(id, epoch, toDigest(systemRandom.bytes(32)))
    return gasOf('ConsentRoot')
  }
  const [first, root] = [await rootIn(1), await rootIn(2)]
  const { blind, patientKey, signature } = signed()
  await chain.withdraw(id, blind, patientKey, signature)
  const single = await gasOf('ConsentWithdrawn')
  await chain.withdrawMany(id, Array.from({ length: BATCH }, signed))
  const each = (await gasOf('ConsentWithdrawn')) / BATCH
  return [
    row('gas of a withdrawal', 'gas', one(single), 60_000),
    row(`gas of a withdrawal in a batch of ${BATCH}`, 'gas', one(each), 30_000),
    row("gas of a site's first root of a programme", 'gas', one(first), 45_000),
    row("gas of a site's root", 'gas', one(root), 45_000),
  ]
}
