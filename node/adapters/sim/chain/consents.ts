import { type Address, type Digest, type SiteId, ZERO_DIGEST } from '#base/ids.ts'
import { type Call, revert } from './call.ts'
import { signedWithdrawal, tagOf } from './patient-key.ts'
import type { SimSites } from './sites.ts'

/** ConsentRegistry.sol. */
export class SimConsents {
  readonly #sites: SimSites
  readonly #domain: { readonly chainId: bigint; readonly verifyingContract: Address }
  /** programme/tag to the block of its withdrawal. */
  readonly #withdrawnAt = new Map<string, number>()
  /** site/programme to the epoch of its last root. */
  readonly #epochs = new Map<string, number>()

  constructor(sites: SimSites, domain: { readonly chainId: bigint; readonly verifyingContract: Address }) {
    this.#sites = sites
    this.#domain = domain
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
    const genuine = call.sender === patientKey || signedWithdrawal(this.#domain, programme, tag, signature) === patientKey
    if (!genuine) revert('ConsentRegistry_BadSignature', { patientKey })
    this.#withdrawnAt.set(`${programme}/${tag}`, call.block)
    call.emit({ kind: 'ConsentWithdrawn', programme, tag })
  }

  isWithdrawn(programme: Digest, tag: Digest): boolean {
    return this.#withdrawnAt.has(`${programme}/${tag}`)
  }

  #activeNode(call: Call): SiteId {
    const found = this.#sites.roleOf(call.sender)
    if (found?.role !== 'Node' || !this.#sites.isActive(found.site)) return revert('ConsentRegistry_NotActive', { caller: call.sender })
    return found.site
  }
}
