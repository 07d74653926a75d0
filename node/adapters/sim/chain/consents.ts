import { fromHex, toDigest } from '#base/bytes.ts'
import { type Address, type Digest, type SiteId, ZERO_DIGEST } from '#base/ids.ts'
import { TERMS_MAX_BYTES } from '#core/consent/terms.ts'
import type { RelayedWithdrawal, TermsOnChain } from '#ports/chain.ts'
import { sha256 } from '../hash.ts'
import { type Call, revert } from './call.ts'
import { signedWithdrawal, tagOf, type WithdrawalKind } from './patient-key.ts'
import type { SimSites } from './sites.ts'

/** ConsentRegistry.sol. */
export class SimConsents {
  readonly #sites: SimSites
  readonly #domain: { readonly chainId: bigint; readonly verifyingContract: Address }
  /** programme/tag to the block of its withdrawal. */
  readonly #withdrawnAt = new Map<string, number>()
  /** site/programme to the epoch of its last root. */
  readonly #epochs = new Map<string, number>()
  /** The newest of each programme, and whose they are. */
  readonly #terms = new Map<Digest, TermsOnChain & { readonly keeper: SiteId }>()

  constructor(sites: SimSites, domain: { readonly chainId: bigint; readonly verifyingContract: Address }) {
    this.#sites = sites
    this.#domain = domain
  }

  publishTerms(call: Call, programme: Digest, terms: TermsOnChain): void {
    const site = this.#activeSteward(call)
    const last = this.#terms.get(programme)
    if (last !== undefined && site !== last.keeper) revert('ConsentRegistry_NotKeeper', { programme, site, keeper: last.keeper })
    const next = (last?.version ?? 0) + 1
    if (terms.version !== next) revert('ConsentRegistry_NotNextVersion', { programme, version: terms.version, next })
    const bytes = fromHex(terms.text)
    if (bytes.length === 0 || bytes.length > TERMS_MAX_BYTES) revert('ConsentRegistry_BadLength', { length: bytes.length })
    const actual = toDigest(sha256(bytes))
    if (terms.digest !== actual) revert('ConsentRegistry_OtherText', { digest: terms.digest, actual })
    if (terms.expiresAt <= call.timestamp) revert('ConsentRegistry_Expired', { expiresAt: terms.expiresAt })
    this.#terms.set(programme, { ...terms, keeper: site })
    call.emit({ kind: 'TermsPublished', programme, site, ...terms })
  }

  setRoot(call: Call, programme: Digest, epoch: number, root: Digest): void {
    const site = this.#activeNode(call)
    if (root === ZERO_DIGEST) revert('ConsentRegistry_ZeroRoot')
    const key = `${site}/${programme}`
    const last = this.#epochs.get(key)
    if (last !== undefined && epoch <= last) revert('ConsentRegistry_EpochNotRising', { site, programme, epoch, last })
    this.#epochs.set(key, epoch)
    call.emit({ kind: 'ConsentRoot', site, programme, epoch, root })
  }

  withdraw(call: Call, programme: Digest, blind: Digest, patientKey: Address, signature: string): void {
    const tag = tagOf(blind, patientKey)
    if (this.isWithdrawn(programme, tag)) revert('ConsentRegistry_AlreadyWithdrawn', { programme, tag })
    this.#checkSignature(call, 'Withdraw', programme, tag, patientKey, signature)
    this.#withdraw(call, programme, tag)
  }

  /** @returns the tags that this call withdrew */
  withdrawMany(call: Call, programme: Digest, withdrawals: readonly RelayedWithdrawal[]): readonly Digest[] {
    return withdrawals.flatMap(({ blind, patientKey, signature }) => {
      const tag = tagOf(blind, patientKey)
      if (this.isWithdrawn(programme, tag) || signedWithdrawal(this.#domain, programme, tag, signature) !== patientKey) return []
      this.#withdraw(call, programme, tag)
      return [tag]
    })
  }

  withdrawByOmbudsman(call: Call, programme: Digest, tag: Digest, signature: string): void {
    const ombudsman = this.#terms.get(programme)?.ombudsman ?? revert('ConsentRegistry_NoOmbudsman', { programme })
    if (this.isWithdrawn(programme, tag)) revert('ConsentRegistry_AlreadyWithdrawn', { programme, tag })
    this.#checkSignature(call, 'OmbudsmanWithdraw', programme, tag, ombudsman, signature)
    this.#withdraw(call, programme, tag)
  }

  /** A programme's newest terms; undefined when it has none. */
  termsOf(programme: Digest): (TermsOnChain & { readonly keeper: SiteId }) | undefined {
    return this.#terms.get(programme)
  }

  isWithdrawn(programme: Digest, tag: Digest): boolean {
    return this.#withdrawnAt.has(`${programme}/${tag}`)
  }

  #withdraw(call: Call, programme: Digest, tag: Digest): void {
    this.#withdrawnAt.set(`${programme}/${tag}`, call.block)
    call.emit({ kind: 'ConsentWithdrawn', programme, tag })
  }

  #checkSignature(call: Call, kind: WithdrawalKind, programme: Digest, tag: Digest, key: Address, signature: string): void {
    const genuine = call.sender === key || signedWithdrawal(this.#domain, programme, tag, signature, kind) === key
    if (!genuine) revert('ConsentRegistry_BadSignature', { key })
  }

  #activeSteward(call: Call): SiteId {
    const found = this.#sites.roleOf(call.sender)
    if (found?.role !== 'Steward' || !this.#sites.isActive(found.site)) return revert('ConsentRegistry_NotSteward', { caller: call.sender })
    return found.site
  }

  #activeNode(call: Call): SiteId {
    const found = this.#sites.roleOf(call.sender)
    if (found?.role !== 'Node' || !this.#sites.isActive(found.site)) return revert('ConsentRegistry_NotActive', { caller: call.sender })
    return found.site
  }
}
