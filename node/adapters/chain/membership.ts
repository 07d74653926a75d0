import { type Address, type Bitmap, type SiteId, siteId } from '#base/ids.ts'
import type { SiteRecord } from '#ports/chain.ts'
import type { Link } from './link.ts'
import { openSender } from './sender.ts'
import { addressOf, bitmapOf, NO_SITE, numberOf, placeIn, type Struct, siteRecord } from './views.ts'
import { fromReceipt, sendTo } from './writer.ts'

/** What a site tells of itself when it asks for admission, or as a founder. */
export type SiteDetails = Omit<SiteRecord, 'id' | 'state'>

/** Same order as contracts/types/Sites.sol. */
export const PROPOSAL_KINDS = ['admit', 'suspend', 'reinstate', 'remove'] as const
export type ProposalKind = (typeof PROPOSAL_KINDS)[number]
export const PROPOSAL_STATES = ['open', 'passed', 'rejected', 'expired'] as const
export const ROLES = ['none', 'node', 'steward', 'recovery'] as const
export type Role = (typeof ROLES)[number]

export interface Proposal {
  readonly id: number
  readonly kind: ProposalKind
  readonly state: (typeof PROPOSAL_STATES)[number]
  /** Null when it asks for admission; then `candidate` says who. */
  readonly subject: SiteId | null
  /** Chain time in seconds. */
  readonly expires: number
  readonly yes: Bitmap
  readonly no: Bitmap
  readonly candidate: SiteDetails | null
}

/** Admission writes a site's details: eight addresses of 256 bytes are 64 words of 22,000 gas each, twice. */
const DETAILS_GAS = 6_000_000

/** Changes of who belongs, each by the account that may make it: node, steward or recovery of a site, or a candidate's node. */
export interface Membership {
  readonly account: Address
  /** By the candidate's node account. @returns the proposal on which members vote */
  requestAdmission(details: SiteDetails): Promise<number>
  /** By node or steward of a member; it does not vote by this. */
  propose(kind: Exclude<ProposalKind, 'admit'>, subject: SiteId): Promise<number>
  /** One vote a site, final; takes effect when more than half of the active sites are for it. */
  vote(proposal: number, support: boolean): Promise<void>
  /** By the steward: the site is no member from then on, for good. */
  resign(site: SiteId): Promise<void>
  rotateNode(site: SiteId, node: Address): Promise<void>
  rotateSteward(site: SiteId, steward: Address): Promise<void>
  setContact(site: SiteId, contact: Pick<SiteDetails, 'peerId' | 'encryptionKey' | 'multiaddrs'>): Promise<void>
  /** By the recovery account; anyone may finish it 48 hours later. */
  startRecovery(site: SiteId, accounts: Pick<SiteDetails, 'node' | 'steward' | 'recovery'>): Promise<void>
  cancelRecovery(site: SiteId): Promise<void>
  finishRecovery(site: SiteId): Promise<void>
}

/** @param signer private key of the acting account, 0x-hex */
export function membership(link: Link, signer: string): Membership {
  const sender = openSender(link, signer)
  const send = sendTo(link, sender)
  const call = async (method: string, ...args: unknown[]): Promise<void> => void (await send('SiteRegistry', method, args, DETAILS_GAS))
  const proposed = async (method: string, ...args: unknown[]): Promise<number> =>
    numberOf(fromReceipt(await send('SiteRegistry', method, args, DETAILS_GAS), 'SiteRegistry', 'SiteProposed', 'proposal'))
  return {
    account: sender.account,
    requestAdmission: (details) => proposed('requestAdmission', details),
    propose: (kind, subject) => proposed('propose', PROPOSAL_KINDS.indexOf(kind), subject),
    vote: (proposal, support) => call('vote', proposal, support),
    resign: (site) => call('resign', site),
    rotateNode: (site, node) => call('rotateNode', site, node),
    rotateSteward: (site, steward) => call('rotateSteward', site, steward),
    setContact: (site, { peerId, encryptionKey, multiaddrs }) => call('setContact', site, peerId, encryptionKey, multiaddrs),
    startRecovery: (site, { node, steward, recovery }) => call('startRecovery', site, node, steward, recovery),
    cancelRecovery: (site) => call('cancelRecovery', site),
    finishRecovery: (site) => call('finishRecovery', site),
  }
}

/** @throws ROTA-5207 */
export async function readProposal(link: Link, id: number): Promise<Proposal> {
  return proposalOf((await link.view('SiteRegistry', 'proposal', [id])) as Struct)
}

/** All of them, oldest first. */
export async function readProposals(link: Link): Promise<readonly Proposal[]> {
  const count = numberOf(await link.view('SiteRegistry', 'proposalCount', []))
  return Promise.all(Array.from({ length: count }, (_, i) => readProposal(link, i + 1)))
}

/** Whose account this is, and for what; null of a stranger. */
export async function readSiteOf(link: Link, account: Address): Promise<{ readonly site: SiteId; readonly role: Role } | null> {
  const [site, role] = (await link.view('SiteRegistry', 'siteOf', [account])) as [bigint, bigint]
  return numberOf(site) === NO_SITE ? null : { site: siteId(numberOf(site)), role: placeIn(ROLES, role) }
}

/** The recovery under way at a site; null when there is none. `readyAt` is chain time in seconds. */
export async function readRecovery(
  link: Link,
  site: SiteId,
): Promise<{ readonly node: Address; readonly steward: Address; readonly recovery: Address; readonly readyAt: number } | null> {
  const found = (await link.view('SiteRegistry', 'recoveryOf', [site])) as Struct
  if (numberOf(found.readyAt) === 0) return null
  return { node: addressOf(found.node), steward: addressOf(found.steward), recovery: addressOf(found.recovery), readyAt: numberOf(found.readyAt) }
}

function proposalOf(view: Struct): Proposal {
  const kind = placeIn(PROPOSAL_KINDS, view.kind)
  const subject = numberOf(view.subject)
  const { id: _id, state: _state, ...candidate } = siteRecord({ id: NO_SITE, state: 0, details: view.candidate })
  return {
    id: numberOf(view.id),
    kind,
    state: placeIn(PROPOSAL_STATES, view.state),
    subject: subject === NO_SITE ? null : siteId(subject),
    expires: numberOf(view.expires),
    yes: bitmapOf(view.yes),
    no: bitmapOf(view.no),
    candidate: kind === 'admit' ? candidate : null,
  }
}
