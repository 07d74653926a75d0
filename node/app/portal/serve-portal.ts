import { join } from 'node:path'
import { connectChain, type EthersReader } from '#adapters/chain/ethers-chain.ts'
import { systemClock, systemRandom } from '#adapters/host/system-host.ts'
import { endpointsOf } from '#app/chain/chain-reader.ts'
import type { AtSite } from '#app/site/at-site.ts'
import type { SiteConfig } from '#app/site/config.ts'
import { toHex } from '#base/bytes.ts'
import { nameOf } from '#base/errors.ts'
import { type Address, address, type Digest } from '#base/ids.ts'
import { consentDomain } from '#patient/typed-data.ts'
import type { SignedWithdrawal } from '#patient/withdrawal.ts'
import type { Log } from '#ports/host.ts'
import type { ListenAddress } from '#web/listening.ts'
import { pageFiles } from '#web/portal/page-files.ts'
import { startPortalServer } from '#web/portal/portal-server.ts'
import { chainAnswers } from './chain-answers.ts'
import { portalWork } from './portal-work.ts'
import { Relay } from './relay.ts'
import { keepRelayFigures, readRelayFigures } from './relay-figures.ts'
import { inTransactions } from './relay-transactions.ts'
import { WaitingFile } from './waiting-file.ts'

export interface PortalCall {
  readonly listen: ListenAddress
  readonly chain: EthersReader
  readonly contracts: Address
  /** Where batches are sent, as the config says it. */
  readonly endpoint: Pick<SiteConfig, 'chain' | 'chainWitness' | 'chainFinality'>
  /** The hospital whose patients are answered; null: a relay alone, without a page of its own. */
  readonly site: AtSite | null
  /** Signs the relay's word; sends nothing and needs no ether. */
  readonly key: { readonly account: Address; readonly secret: Uint8Array }
  /** Folder of `withdrawals.jsonl`. */
  readonly state: string
  readonly others: readonly string[]
  readonly behindProxy: boolean
  readonly requestsPerMinute: number
  /** Waits less than the terms allow; null: as long as they allow. */
  readonly longestDelayMs: number | null
  readonly log: Log
}

export interface ServedPortal {
  readonly url: string
  /** Withdrawals that are not on chain yet. */
  waiting(): number
  stop(): Promise<void>
}

/** @throws ROTA-6512 the address, 6513 the pages, 6514 and 1306 the waiting withdrawals */
export async function servePortal(call: PortalCall): Promise<ServedPortal> {
  const { chain, contracts, site, key, log, longestDelayMs, behindProxy, requestsPerMinute } = call
  const stopped = new AbortController()
  const network = { chainId: Number(chain.chainId), contracts, consentRegistry: address(chain.link.addresses.ConsentRegistry) }
  const domain = consentDomain(chain.chainId, network.consentRegistry)
  const answers = chainAnswers(chain, contracts, (block) => chain.blockHash(block))
  const figures = join(call.state, 'figures.json')
  const relay = new Relay({
    totals: await readRelayFigures(figures),
    ...{ domain, key, log, clock: systemClock, random: systemRandom, onChain: answers.onChain },
    file: new WaitingFile(join(call.state, 'withdrawals.jsonl')),
    promiseMs: async (programme) => Math.min(await answers.promiseMs(programme), longestDelayMs ?? Number.POSITIVE_INFINITY),
    send: (programme, withdrawals) => sendBatch(call, programme, withdrawals, stopped.signal),
  })
  await relay.open()
  const work = portalWork({ ...{ site, network, answers, relay, log, clock: systemClock }, account: key.account, others: call.others })
  const page = new Map([...(await pageFiles('patient')), ...(await pageFiles('check', '/check'))])
  const refused = (): void => relay.noteRefused()
  const server = await startPortalServer(call.listen, { work, domain, page, clock: systemClock, notes: log, behindProxy, requestsPerMinute, refused })
  const running = relay.run(stopped.signal).catch((error: unknown) => log.error('relay.ended', { code: nameOf(error) }))
  const keeping = keepRelayFigures(figures, relay, systemClock, stopped.signal)
  return {
    url: server.url,
    waiting: () => relay.waiting,
    async stop() {
      stopped.abort()
      await server.stop()
      await Promise.all([running, keeping])
    },
  }
}

/** Each transaction by an account that is made for it alone: whose relay it was is not on chain. */
async function sendBatch({ endpoint, contracts }: PortalCall, programme: Digest, withdrawals: readonly SignedWithdrawal[], signal: AbortSignal): Promise<void> {
  const send = async (together: readonly SignedWithdrawal[]): Promise<void> => {
    const chain = await connectChain({ ...endpointsOf(endpoint), contracts: address(contracts), signer: toHex(systemRandom.bytes(32)), signal })
    try {
      await chain.withdrawMany(
        programme,
        together.map(({ blind, patientKey, signature }) => ({ blind, patientKey, signature })),
      )
    } finally {
      await chain.stop()
    }
  }
  const all = inTransactions(withdrawals)
  for (let at = 0; at < all.length; at += AT_ONCE) await Promise.all(all.slice(at, at + AT_ONCE).map(send))
}

/** So many connections at a time. */
const AT_ONCE = 8
