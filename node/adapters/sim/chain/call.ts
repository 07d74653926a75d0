import type { ErrorDetails } from '#base/errors.ts'
import type { Address, Digest, SiteId } from '#base/ids.ts'
import type { ChainEventBody } from '#ports/chain.ts'

/** What a contract sees of the transaction that it runs in. */
export interface Call {
  readonly sender: Address
  readonly block: number
  readonly timestamp: number
  /** Of a block that stands; of this one too, which contracts do not see. */
  hashOf(block: number): Digest
  emit(event: SimEventBody): void
}

/** The port's events, and those of the contracts that nodes do not follow. */
export type SimEventBody = ChainEventBody | OtherEventBody

export type OtherEventBody =
  | {
      readonly kind: 'SiteProposed'
      readonly proposal: number
      readonly proposed: ProposalKind
      readonly subject: SiteId | null
      readonly account: Address
      readonly expires: number
    }
  | { readonly kind: 'SiteVoted'; readonly proposal: number; readonly site: SiteId; readonly support: boolean }
  | { readonly kind: 'ProposalClosed'; readonly proposal: number; readonly site: SiteId | null; readonly passed: boolean }
  | { readonly kind: 'AccountReplaced'; readonly site: SiteId; readonly role: 'Node' | 'Steward'; readonly account: Address }

/** Same order as contracts/types/Sites.sol. */
export const PROPOSAL_KINDS = ['admit', 'suspend', 'reinstate', 'remove'] as const
export type ProposalKind = (typeof PROPOSAL_KINDS)[number]

/** A contract's custom error: undoes the whole transaction. The port's caller meets it as a RotaError (base/errors/chain.ts). */
export class ContractError extends Error {
  override readonly name = 'ContractError'
  /** As in contracts/interfaces, for example RoundCoordinator_WrongPhase. */
  readonly error: string
  readonly details: ErrorDetails

  constructor(error: string, details: ErrorDetails = {}) {
    super(error)
    this.error = error
    this.details = details
  }
}

export function revert(error: string, details: ErrorDetails = {}): never {
  throw new ContractError(error, details)
}
