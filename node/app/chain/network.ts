import { deployNetwork } from '#adapters/chain/deploy.ts'
import type { EthersReader } from '#adapters/chain/ethers-chain.ts'
import { openEndpoint } from '#adapters/chain/link.ts'
import { membership, type Proposal, readProposals } from '#adapters/chain/membership.ts'
import { systemClock, systemRandom } from '#adapters/host/system-host.ts'
import { noteContracts, readCard } from '#app/site/init-site.ts'
import { openSiteFolder, type SiteFolder, sitePaths } from '#app/site/site-folder.ts'
import type { StudyCall } from '#app/study/studies.ts'
import { sizeOf } from '#base/bitmap.ts'
import { toHex } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import { type Address, address } from '#base/ids.ts'
import type { SiteRecord } from '#ports/chain.ts'
import { contractsAddress, withReader } from './chain-reader.ts'

/** Puts the contracts on the chain, with these founders. The deploying key is made for this once and keeps no right. */
export async function createNetwork(
  options: { readonly chain: string; readonly founders: readonly string[] },
  signal: AbortSignal,
): Promise<{ readonly contracts: Address; readonly founders: readonly string[] }> {
  const cards = await Promise.all(options.founders.map(readCard))
  const endpoint = await openEndpoint({ url: options.chain, signal })
  try {
    const { directory } = await deployNetwork(endpoint, cards, toHex(systemRandom.bytes(32)))
    return { contracts: directory, founders: cards.map((card) => card.name) }
  } finally {
    await endpoint.rpc.stop()
  }
}

export interface NetworkView {
  readonly chainId: bigint
  readonly contracts: Address
  readonly head: number
  readonly sites: readonly SiteRecord[]
  readonly proposals: readonly Proposal[]
}

export function showNetwork(where: { readonly chain: string; readonly contracts: string }, signal: AbortSignal): Promise<NetworkView> {
  return withReader(where, signal, async (chain) => ({
    chainId: chain.chainId,
    contracts: address(where.contracts),
    head: (await chain.head()).number,
    sites: await chain.sites(),
    proposals: await readProposals(chain.link),
  }))
}

export type JoinState =
  | { readonly state: 'member'; readonly site: number; readonly name: string }
  | { readonly state: 'waiting'; readonly proposal: number; readonly votes: number; readonly needed: number; readonly members: readonly string[] }

const LOOK_MS = 300

/**
 * Enters the network: a founder finds itself there, anyone else asks for admission and waits for the members' votes.
 * @param onWait told each time the count of votes changes
 */
export async function joinNetwork(
  call: StudyCall & { readonly contracts: string; readonly wait: boolean },
  onWait: (state: JoinState) => void,
): Promise<JoinState> {
  const folder = await openSiteFolder(call.folder, call.password)
  const contracts = contractsAddress(call.contracts)
  return withReader({ ...folder.config, contracts }, call.signal, async (chain) => {
    let state = await joinState(chain, folder)
    if (state === null) {
      await membership(chain.link, folder.vault.nodeKey).requestAdmission(await readCard(folder.paths.card))
      state = await joinState(chain, folder)
    }
    await noteContracts(folder.paths.folder, folder.config, contracts, chain.chainId)
    for (let told = ''; state?.state === 'waiting' && call.wait; state = await joinState(chain, folder)) {
      if (told !== JSON.stringify(state)) onWait(state)
      told = JSON.stringify(state)
      await systemClock.sleep(LOOK_MS, call.signal)
    }
    if (state === null) throw new RotaError('ROTA-1210', { name: folder.config.name })
    return state
  })
}

async function joinState(chain: EthersReader, { vault }: SiteFolder): Promise<JoinState | null> {
  const sites = await chain.sites()
  const own = sites.find((site) => site.node === vault.nodeAccount && site.state === 'Active')
  if (own !== undefined) return { state: 'member', site: own.id, name: own.name }
  const open = (await readProposals(chain.link)).find((p) => p.kind === 'admit' && p.state === 'open' && p.candidate?.node === vault.nodeAccount)
  if (open === undefined) return null
  const members = sites.filter((site) => site.state === 'Active')
  return { state: 'waiting', proposal: open.id, votes: sizeOf(open.yes), needed: Math.floor(members.length / 2) + 1, members: members.map((site) => site.name) }
}

/** Votes for a candidate, by its name or the proposal's number, as this site's node; by its number also on a member's removal. */
export async function admitSite(
  call: StudyCall & { readonly who: string; readonly against: boolean },
): Promise<{ readonly proposal: number; readonly kind: Proposal['kind']; readonly candidate: string; readonly admitted: boolean }> {
  const folder = await openSiteFolder(call.folder, call.password)
  if (folder.config.contracts === '') throw new RotaError('ROTA-1203', { folder: sitePaths(call.folder).folder })
  return withReader(folder.config, call.signal, async (chain) => {
    const proposals = await readProposals(chain.link)
    const found = proposals.find((p) => p.state === 'open' && (String(p.id) === call.who || p.candidate?.name === call.who))
    if (found === undefined) throw new RotaError('ROTA-1205', { kind: 'open proposal', name: call.who, command: 'rota network show' })
    await membership(chain.link, folder.vault.nodeKey).vote(found.id, !call.against)
    const after = (await readProposals(chain.link)).find((p) => p.id === found.id)
    return { proposal: found.id, kind: found.kind, candidate: found.candidate?.name ?? `site ${found.subject}`, admitted: after?.state === 'passed' }
  })
}
