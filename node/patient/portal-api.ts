/**
 * What a portal says and is asked, as JSON (docs/portals.md). The patient's page and other programs speak it; all of it is public but
 * what `proofs` and `again` answer, which the holder of a card alone gets.
 *
 *   GET  /api/place                                                       Place
 *   POST /api/withdrawals                 SignedWithdrawal                202 Taken · 200 OnChain
 *   GET  /api/withdrawals/:programme/:tag                                 WithdrawalState
 *   GET  /api/withdrawn?programme&prefix                                  Withdrawn
 *   GET  /api/withdrawn?programme&until                                   Withdrawn
 *   GET  /api/block?number                                                ToldBlock
 *   POST /api/proofs                      SignedRequest, ?page            ProvenRounds
 *   GET  /api/records?programme&site&rounds&epochs                        ToldRecords
 *   GET  /api/record?programme&site&run&round&tag                         ToldRecord
 *   POST /api/again                       Again                           GivenAgain
 *
 * A fault is `{ code, message, remedy }`.
 */
import type { Address, Digest } from '#base/ids.ts'
import type { ChainRecord, CohortProof } from '#core/consent/cohort-proof.ts'
import type { Terms } from '#core/consent/terms.ts'
import type { ReceiptContent } from './receipt.ts'
import type { SignedRequest } from './request.ts'

/** Who answers, and for which network. */
export interface Place {
  readonly network: { readonly chainId: number; readonly contracts: Address; readonly consentRegistry: Address }
  /** Null: a relay without a site. */
  readonly site: { readonly id: number; readonly name: string } | null
  /** Address of the key that signs the relay's word. */
  readonly relay: Address
  readonly programmes: readonly ToldProgramme[]
  /** Portals of this network that this one knows of. */
  readonly portals: readonly string[]
  /** Unix seconds of this portal's clock: browsers' clocks may be wrong. */
  readonly time: number
}

export interface ToldProgramme {
  readonly name: string
  readonly id: Digest
  /** The newest that the keeper put on chain; null: none. */
  readonly terms: Terms | null
}

/** The relay's signed word that it will put a withdrawal on chain. */
export interface Taken {
  readonly state: 'waiting'
  readonly tag: Digest
  /** ISO; on chain by then at the latest. */
  readonly by: string
  readonly relay: Address
  /** Over EIP-712 `RelayWord(bytes32 programme,bytes32 tag,uint64 by)`, `by` in Unix seconds, in the registry's domain. */
  readonly signature: string
}

export interface OnChain {
  readonly state: 'on chain'
  readonly tag: Digest
  readonly block: number
  /** Unix seconds of that block. */
  readonly time: number
}

export type WithdrawalState = Taken | OnChain | { readonly state: 'unknown'; readonly tag: Digest }

/**
 * Withdrawals whose tags begin so: a page asks for one tag among many, and no portal learns which. Or all up to a block: what a cohort is held against whose
 * round opened in it.
 */
export interface Withdrawn {
  readonly withdrawn: readonly { readonly tag: Digest; readonly block: number; readonly time: number }[]
}

/** A block that draws members of a cohort by lot. Null: it is still to come. */
export interface ToldBlock {
  readonly number: number
  readonly hash: Digest | null
}

export interface ProvenRounds {
  /** How the hospital's own record stands: somebody who withdrew at its desk has no tag on chain, nor has a consent that ended by itself. `at`: ISO. */
  readonly record: {
    readonly state: 'granted' | 'ended' | 'withdrawn'
    readonly at: string
    /** Whether it may be given again with this card: not where it was withdrawn at the desk, or was given again already. None: an older portal. */
    readonly again?: boolean
  }
  /** Newest first. */
  readonly rounds: readonly ProvenRound[]
  /** To be asked for as `?page=`; null: these were the oldest. */
  readonly next: number | null
}

export interface ProvenRound {
  readonly run: number
  readonly round: number
  /** Unix seconds. */
  readonly openedAt: number
  /** Null: the site cannot show it, `why` says so by a code of the catalogue. */
  readonly proof: CohortProof | null
  readonly why: string | null
}

/** What the portal's chain says of a site's part in rounds; bytes as 0x-hex. */
export interface ToldRecords {
  readonly network: Digest
  /** The roots that stood when the site contributed to a round that was asked for, and those that were asked for. */
  readonly epochs: ChainRecord['epochs']
  readonly rounds: readonly {
    readonly run: number
    readonly round: number
    readonly openedAtBlock: number
    /** Unix seconds. */
    readonly openedAt: number
    readonly contributed: ChainRecord['contributed']
  }[]
}

export type ToldRecord = Omit<ChainRecord, 'network'> & { readonly network: Digest }

/** Consent given again: the withdrawn tag's key signs for the new tag, whose secret only the page has. */
export interface Again {
  readonly request: SignedRequest
  readonly tag: Digest
  readonly oneTimeAddress: Address
  /** Version of the terms that the page showed; none: there were none, or the page is an older one. */
  readonly terms?: number
}

/** What the hospital countersigned; the page adds the secret, which it alone has. */
export interface GivenAgain {
  readonly receipt: ReceiptContent
}

/** What the holder of a card signs to be shown the rounds. */
export const ASK_ROUNDS = 'show my rounds'
/** What the holder of a withdrawn card signs to consent again. */
export const askAgain = ({ tag, oneTimeAddress, terms }: Omit<Again, 'request'>): string =>
  `again as ${tag} by ${oneTimeAddress}${terms === undefined ? '' : ` under terms ${terms}`}`

export const RELAY_WORD = 'RelayWord(bytes32 programme,bytes32 tag,uint64 by)'

/** Hex digits of a tag that `withdrawn` is asked by: with 20,000 withdrawals, one of about five. */
export const PREFIX_DIGITS = 3
