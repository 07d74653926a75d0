import type { Digest } from '#base/ids.ts'
import { type Call, revert } from './call.ts'
import type { SimSites } from './sites.ts'

/** AuditLog.sol: the event is the entry. */
export class SimAudits {
  readonly #sites: SimSites

  constructor(sites: SimSites) {
    this.#sites = sites
  }

  record(call: Call, category: number, subject: Digest): void {
    const found = this.#sites.roleOf(call.sender)
    if (found === undefined || found.role === 'Recovery' || !this.#sites.isActive(found.site)) revert('AuditLog_NotActive', { caller: call.sender })
    call.emit({ kind: 'AuditEntry', site: found.site, category, subject })
  }
}
