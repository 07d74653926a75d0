import type { Digest } from '#base/ids.ts'
import type {
  Again,
  GivenAgain,
  OnChain,
  Place,
  ProvenRounds,
  Taken,
  ToldBlock,
  ToldRecord,
  ToldRecords,
  WithdrawalState,
  Withdrawn,
} from '#patient/portal-api.ts'
import type { SignedRequest } from '#patient/request.ts'
import type { ConsentDomain } from '#patient/typed-data.ts'
import type { SignedWithdrawal } from '#patient/withdrawal.ts'
import type { Clock, Log } from '#ports/host.ts'
import type { PageFile } from './page-files.ts'

/** What a portal does; the server in front of it has checked shapes, signatures, sizes and rates. */
export interface PortalWork {
  place(): Promise<Place>
  /** @throws ROTA-6504 a programme that the network does not have, 6510 full */
  take(withdrawal: SignedWithdrawal): Promise<Taken | OnChain>
  withdrawal(programme: Digest, tag: Digest): Promise<WithdrawalState>
  withdrawn(programme: Digest, prefix: string): Promise<Withdrawn>
  withdrawnUntil(programme: Digest, block: number): Promise<Withdrawn>
  block(number: number): Promise<ToldBlock>
  /** @throws ROTA-6507 no hospital, 6508 no such consent */
  proofs(request: SignedRequest, page: number): Promise<ProvenRounds>
  /** Rounds that the chain does not know are left out. */
  records(asked: AskedRecords): Promise<ToldRecords>
  /** @throws ROTA-6010 */
  record(asked: Omit<AskedRecords, 'rounds' | 'epochs'> & RoundPlace & { readonly tag: Digest }): Promise<ToldRecord>
  /** @throws ROTA-6507, 6508, 6509, 6519 */
  again(request: SignedRequest, next: Omit<Again, 'request'>): Promise<GivenAgain>
}

export interface RoundPlace {
  readonly run: number
  readonly round: number
}

export interface AskedRecords {
  readonly programme: Digest
  readonly site: number
  readonly rounds: readonly RoundPlace[]
  readonly epochs: readonly number[]
}

export interface PortalParts {
  readonly work: PortalWork
  readonly domain: ConsentDomain
  readonly clock: Pick<Clock, 'nowMs'>
  readonly notes: Pick<Log, 'warn' | 'error'>
  /** The pages, by path: the patient's, and the one that checks what hospitals show; null: none. */
  readonly page: ReadonlyMap<string, PageFile> | null
  /** A proxy on this machine stands before it and says in X-Forwarded-For who asks. */
  readonly behindProxy: boolean
  /** From one address; proofs and what is sent count for several. */
  readonly requestsPerMinute: number
  /** A withdrawal was not taken, for whatever reason. */
  readonly refused?: () => void
}
