import { type Digest, digest, runId, studyId } from '#base/ids.ts'
import { type ChainReader, type Head, RUN_STATES } from '#ports/chain.ts'
import type { EventLog } from './event-log.ts'
import type { Link } from './link.ts'
import { bitmapOf, epochRecord, numberOf, placeIn, runView, type Struct, siteRecord, studyRecord } from './views.ts'

/** Runs are listed in pages of so many. */
const PAGE = 500

/** The chain's answers in the port's words. */
export function readerOf(link: Link, log: EventLog): Omit<ChainReader, 'onChange'> {
  const { view } = link
  const count = async (contract: 'StudyRegistry' | 'RoundCoordinator', method: string) => numberOf(await view(contract, method, []))
  const study = async (id: number) => studyRecord((await view('StudyRegistry', 'study', [id])) as Struct)
  return {
    chainId: link.chainId,
    genesis: link.genesis,
    coordinator: link.addresses.RoundCoordinator,
    head: () => readHead(link),
    sites: async () => [...((await view('SiteRegistry', 'sites', [])) as Iterable<Struct>)].map(siteRecord),
    study,
    async studies() {
      const ids = Array.from({ length: await count('StudyRegistry', 'studyCount') }, (_, i) => i + 1)
      return Promise.all(ids.map(study))
    },
    async runs() {
      const all: Struct[] = []
      for (let first = 1, end = await count('RoundCoordinator', 'runCount'); first <= end; first += PAGE) {
        all.push(...((await view('RoundCoordinator', 'runs', [first, PAGE])) as Iterable<Struct>))
      }
      return all.map((run) => ({ run: runId(numberOf(run.run)), study: studyId(numberOf(run.study)), state: placeIn(RUN_STATES, run.state) }))
    },
    run: async (run) => runView((await view('RoundCoordinator', 'run', [run])) as Struct),
    epoch: async (study, epoch) => epochRecord((await view('StudyRegistry', 'epochOf', [study, epoch])) as Struct),
    async policy(study) {
      const [charge, limit] = (await view('PrivacyLedger', 'policyOf', [study])) as readonly [bigint, bigint]
      return charge === 0n ? null : { charge, limit }
    },
    spent: async (site, dataset) => (await view('PrivacyLedger', 'spentOf', [site, dataset])) as bigint,
    isWithdrawn: async (programme, tag) => bitmapOf(await view('ConsentRegistry', 'withdrawnAt', [programme, tag])) !== 0n,
    events: (from, filter) => log.read(from, filter),
  }
}

async function readHead(link: Link): Promise<Head> {
  const block = await link.rpc.call<{ number: string; hash: string; timestamp: string }>('eth_getBlockByNumber', [await link.depth.tag(), false])
  return { number: Number(block.number), hash: digest(block.hash), timestamp: Number(block.timestamp) }
}

export const readHash = async ({ rpc }: Link, block: number): Promise<Digest> =>
  digest((await rpc.call<{ hash: string }>('eth_getBlockByNumber', [`0x${block.toString(16)}`, false])).hash)
