import { bitmapOf, EMPTY, sizeOf, withSite } from '#base/bitmap.ts'
import type { Address, Bitmap, Digest, SiteId } from '#base/ids.ts'
import { siteId } from '#base/ids.ts'
import type { SiteRecord, SiteState } from '#ports/chain.ts'
import { without } from './bits.ts'
import { type Call, type ProposalKind, revert } from './call.ts'

export type SiteDetails = Omit<SiteRecord, 'id' | 'state'>
export type Role = 'Node' | 'Steward' | 'Recovery'

const VOTING_SECONDS = 14 * 24 * 3600
/** As many as a bitmap has bits on chain; the simulator's worlds may be larger. */
const CHAIN_MAX_SITES = 256

interface Proposal {
  readonly kind: ProposalKind
  readonly subject: SiteId | null
  readonly candidate: SiteDetails | null
  readonly account: Address
  readonly expires: number
  readonly yes: Bitmap
  readonly no: Bitmap
  readonly closed: boolean
}

/** SiteRegistry.sol without the recovery of accounts. */
export class SimSites {
  readonly #maxSites: number
  #records: readonly SiteRecord[] = []
  #active: Bitmap = EMPTY
  readonly #roles = new Map<Address, { readonly site: SiteId; readonly role: Role }>()
  readonly #proposals: Proposal[] = []

  constructor(maxSites = CHAIN_MAX_SITES) {
    this.#maxSites = maxSites
  }

  /** The constructor's part of the contract. */
  found(call: Call, founders: readonly SiteDetails[]): void {
    if (founders.length === 0 || founders.length > this.#maxSites) revert('SiteRegistry_BadFounderCount', { count: founders.length })
    for (const founder of founders) this.#admit(call, founder)
  }

  /** A new array after each change, so that it can be handed out. */
  get records(): readonly SiteRecord[] {
    return this.#records
  }

  get active(): Bitmap {
    return this.#active
  }

  /** Made so far; they count from 1. */
  get proposals(): number {
    return this.#proposals.length
  }

  isActive(site: SiteId): boolean {
    return this.#records[site]?.state === 'Active'
  }

  roleOf(account: Address): { readonly site: SiteId; readonly role: Role } | undefined {
    return this.#roles.get(account)
  }

  /** Site whose node account this is, active or not. */
  nodeSite(account: Address): SiteId {
    const found = this.#roles.get(account)
    return found?.role === 'Node' ? found.site : revert('SiteRegistry_NotNode', { caller: account })
  }

  requestAdmission(call: Call, details: SiteDetails): number {
    if (call.sender !== details.node) revert('SiteRegistry_NotCandidate', { caller: call.sender, node: details.node })
    checkDetails(details)
    this.#checkAccounts(details)
    const last = this.#proposals.findLastIndex((p) => p.kind === 'admit' && p.account === call.sender)
    if (last >= 0 && isOpen(this.#proposals[last] as Proposal, call)) revert('SiteRegistry_RequestOpen', { proposal: last + 1 })
    return this.#propose(call, { kind: 'admit', subject: null, candidate: details, account: call.sender })
  }

  propose(call: Call, kind: ProposalKind, subject: SiteId): number {
    this.#voter(call)
    if (kind === 'admit') revert('SiteRegistry_AdmissionIsRequested')
    if (subject >= this.#records.length) revert('SiteRegistry_UnknownSite', { site: subject })
    this.#checkChange(kind, subject)
    return this.#propose(call, { kind, subject, candidate: null, account: call.sender })
  }

  vote(call: Call, id: number, support: boolean): void {
    const site = this.#voter(call)
    const proposal = this.#proposals[id - 1] ?? revert('SiteRegistry_UnknownProposal', { proposal: id })
    if (!isOpen(proposal, call)) revert('SiteRegistry_ProposalClosed', { proposal: id })
    const bit = bitmapOf([site])
    if (((proposal.yes | proposal.no) & bit) !== 0n) revert('SiteRegistry_AlreadyVoted', { proposal: id, site })
    const voted = { ...proposal, yes: (support ? proposal.yes | bit : proposal.yes) as Bitmap, no: (support ? proposal.no : proposal.no | bit) as Bitmap }
    const all = sizeOf(this.#active)
    const passed = 2 * sizeOf((voted.yes & this.#active) as Bitmap) > all
    const rejected = 2 * sizeOf((voted.no & this.#active) as Bitmap) >= all
    if (passed) this.#checkEffect(voted)
    this.#proposals[id - 1] = { ...voted, closed: passed || rejected }
    call.emit({ kind: 'SiteVoted', proposal: id, site, support })
    if (passed) this.#pass(call, id, voted)
    else if (rejected) call.emit({ kind: 'ProposalClosed', proposal: id, site: voted.subject, passed: false })
  }

  resign(call: Call, site: SiteId): void {
    const { steward } = this.#known(site)
    if (call.sender !== steward) revert('SiteRegistry_WrongAccount', { site, caller: call.sender })
    this.#checkChange('remove', site)
    this.#setState(call, site, 'Removed')
  }

  rotateNode(call: Call, site: SiteId, account: Address): void {
    const { node, steward } = this.#known(site)
    if (call.sender !== node && call.sender !== steward) revert('SiteRegistry_WrongAccount', { site, caller: call.sender })
    this.#replace(call, site, 'node', account)
  }

  rotateSteward(call: Call, site: SiteId, account: Address): void {
    if (call.sender !== this.#known(site).steward) revert('SiteRegistry_WrongAccount', { site, caller: call.sender })
    this.#replace(call, site, 'steward', account)
  }

  /** The old account is free at once, and may come back. */
  #replace(call: Call, id: SiteId, part: 'node' | 'steward', account: Address): void {
    const record = this.#known(id)
    const role = part === 'node' ? 'Node' : 'Steward'
    if (isZeroAddress(account) || (this.#roles.has(account) && account !== record[part])) revert('SiteRegistry_AccountTaken', { account })
    this.#roles.delete(record[part])
    this.#roles.set(account, { site: id, role })
    this.#records = this.#records.with(id, Object.freeze({ ...record, [part]: account }))
    call.emit({ kind: 'AccountReplaced', site: id, role, account })
    call.emit({ kind: 'SiteChanged', site: id, state: record.state })
  }

  #known(site: SiteId): SiteRecord {
    return this.#records[site] ?? revert('SiteRegistry_UnknownSite', { site })
  }

  #propose(call: Call, p: Pick<Proposal, 'kind' | 'subject' | 'candidate' | 'account'>): number {
    const expires = call.timestamp + VOTING_SECONDS
    const id = this.#proposals.push({ ...p, expires, yes: EMPTY, no: EMPTY, closed: false })
    call.emit({ kind: 'SiteProposed', proposal: id, proposed: p.kind, subject: p.subject, account: p.account, expires })
    return id
  }

  #voter(call: Call): SiteId {
    const found = this.#roles.get(call.sender)
    if (found === undefined || found.role === 'Recovery' || !this.isActive(found.site)) return revert('SiteRegistry_NotActive', { caller: call.sender })
    return found.site
  }

  #checkEffect(proposal: Proposal): void {
    if (proposal.candidate !== null) {
      if (this.#records.length >= this.#maxSites) revert('SiteRegistry_Full')
      this.#checkAccounts(proposal.candidate)
    } else this.#checkChange(proposal.kind, proposal.subject as SiteId)
  }

  #checkChange(kind: ProposalKind, subject: SiteId): void {
    const state = this.#records[subject]?.state ?? 'None'
    const allowed = kind === 'suspend' ? state === 'Active' : kind === 'reinstate' ? state === 'Suspended' : state === 'Active' || state === 'Suspended'
    if (!allowed) revert('SiteRegistry_WrongState', { site: subject, state })
    if (kind !== 'reinstate' && state === 'Active' && sizeOf(this.#active) === 1) revert('SiteRegistry_LastSite', { site: subject })
  }

  #pass(call: Call, id: number, proposal: Proposal): void {
    const site = proposal.candidate === null ? (proposal.subject as SiteId) : siteId(this.#records.length)
    call.emit({ kind: 'ProposalClosed', proposal: id, site, passed: true })
    if (proposal.candidate !== null) this.#admit(call, proposal.candidate)
    else this.#setState(call, site, STATE_AFTER[proposal.kind])
  }

  #admit(call: Call, details: SiteDetails): void {
    this.#checkAccounts(details)
    checkDetails(details)
    const id = siteId(this.#records.length)
    this.#roles
      .set(details.node, { site: id, role: 'Node' })
      .set(details.steward, { site: id, role: 'Steward' })
      .set(details.recovery, { site: id, role: 'Recovery' })
    this.#records = [...this.#records, Object.freeze({ ...details, id, state: 'None' as const })]
    this.#setState(call, id, 'Active')
  }

  #setState(call: Call, site: SiteId, state: SiteState): void {
    this.#records = this.#records.with(site, Object.freeze({ ...(this.#records[site] as SiteRecord), state }))
    this.#active = state === 'Active' ? withSite(this.#active, site) : without(this.#active, bitmapOf([site]))
    call.emit({ kind: 'SiteChanged', site, state })
  }

  #checkAccounts(details: SiteDetails): void {
    const accounts = [details.node, details.steward, details.recovery]
    accounts.forEach((account, i) => {
      if (isZeroAddress(account) || this.#roles.has(account) || accounts.indexOf(account) !== i) revert('SiteRegistry_AccountTaken', { account })
    })
  }
}

const STATE_AFTER: Readonly<Record<ProposalKind, SiteState>> = { admit: 'Active', suspend: 'Suspended', reinstate: 'Active', remove: 'Removed' }

const isOpen = (proposal: Proposal, call: Call): boolean => !proposal.closed && call.timestamp < proposal.expires

function checkDetails(details: SiteDetails): void {
  const bytes = (text: string) => Buffer.byteLength(text)
  const within = (length: number, low: number, high: number) => length >= low && length <= high
  const good =
    within(bytes(details.name), 1, 64) &&
    within(bytes(details.peerId), 1, 128) &&
    !isZero(details.encryptionKey) &&
    details.multiaddrs.length <= 8 &&
    details.multiaddrs.every((text) => bytes(text) <= 256)
  if (!good) revert('SiteRegistry_BadDetails')
}

const isZeroAddress = (account: Address): boolean => /^0x0+$/.test(account)
const isZero = (digest: Digest): boolean => /^0x0+$/.test(digest)
