import { utf8 } from '#base/bytes.ts'
import { counted } from '#base/format.ts'
import type { Address, Digest } from '#base/ids.ts'
import { signDigest, signerOf } from '#patient/typed-data.ts'
import type { AbstainReason } from '#ports/chain.ts'
import { sha256 } from '../sha256.ts'
import type { Membership, NoFigure } from './membership.ts'

export type Method = 'fitted again from the first round' | 'trained again from the first round' | 'trained on from a model before the record'

/** What a hospital says about a model that was made without a withdrawn record, under its node's signature. It names nobody. */
export interface UnlearningCertificate {
  readonly version: 1
  readonly kind: 'rota/unlearning'
  readonly at: string
  readonly site: { readonly id: number; readonly name: string }
  readonly programme: string
  /** Null: a patient who never had a receipt. */
  readonly tag: Digest | null
  /** Null: withdrawn at the desk, and not on chain. */
  readonly withdrawnAtBlock: number | null
  /** The run that the record had a part in, and the rounds whose declared cohorts held it. */
  readonly before: RunDigests & { readonly roundsWithRecord: readonly number[] }
  readonly method: Method
  readonly checkpoint: { readonly run: number; readonly round: number; readonly root: Digest; readonly cid: Digest } | null
  /** The run that stands in its place, and what this hospital declared in it: no cohort of these holds the record. */
  readonly after: RunDigests & {
    readonly declared: readonly { readonly round: number; readonly cohortRoot: Digest }[]
    /** Why this hospital stayed out of it; null: it did not, or never said why. */
    readonly abstained: AbstainReason | null
  }
  /** Null where the data can no longer be read, or the learner foretells nothing. */
  readonly membership: Membership | null
  readonly says: readonly string[]
}

export interface RunDigests {
  readonly study: number
  readonly protocolDigest: Digest
  readonly run: number
  readonly closedRounds: number
  readonly model: { readonly root: Digest; readonly cid: Digest }
}

export interface SignedCertificate extends UnlearningCertificate {
  readonly account: Address
  /** Of SHA-256 over the certificate without this and the account, as JSON. */
  readonly signature: string
}

export const signCertificate = (
  certificate: UnlearningCertificate,
  { account, nodeKey }: { readonly account: Address; readonly nodeKey: Uint8Array },
): SignedCertificate => ({
  ...certificate,
  account,
  signature: signDigest(digestOf(certificate), nodeKey),
})

/** Whether the account signed exactly this. Whose account it is, the registry says. */
export function isSignedCertificate({ account, signature, ...certificate }: SignedCertificate): boolean {
  return signerOf(digestOf(certificate), signature) === account
}

const digestOf = (certificate: UnlearningCertificate): Uint8Array => sha256(utf8(JSON.stringify(certificate)))

/** Promises and limits alike: nothing is said to be gone that is not. @param noFigure why there is no membership figure */
export function plainWords(
  { before, after, method, checkpoint, membership }: Omit<UnlearningCertificate, 'says'>,
  noFigure: NoFigure | null,
): readonly string[] {
  const from =
    checkpoint === null
      ? 'it began from the first round'
      : `it went on from the model that round ${checkpoint.round} of run ${checkpoint.run} left, before the record was first used`
  const declared =
    after.declared.length === 0
      ? `this hospital took no part in it${after.abstained === 'differencing' ? ', since its patients differed by too few from those of an earlier run' : ''}`
      : `no cohort that this hospital declared in it held the record (${counted(after.declared.length, 'round')})`
  return [
    `The model of run ${after.run} was made without the record: ${from}, and ${declared}.`,
    `The model of run ${before.run} was made with the record and is what it was. It stays wherever a copy of it lies, and so does what was concluded from it.`,
    ...(method === 'fitted again from the first round'
      ? [
          after.declared.length === 0
            ? 'Who kept the sums of both runs learns from their difference what all patients of this hospital had together.'
            : 'Who kept the sums of both runs learns from their difference what all changed patients had together, which are ten at least.',
        ]
      : []),
    'That a cohort was used as it was declared is the word of this hospital under its signature; other hospitals cannot see its rows.',
    ...(membership === null
      ? [`No membership figure could be made${noFigure === null ? '' : `: ${noFigure}`}.`]
      : [
          membership.othersAre === 'records that neither run was made with'
            ? 'The membership figures tell how well one known attack tells the withdrawn records from records that neither run was made with: 0.5 is not at all. They are evidence and no proof.'
            : 'This hospital has no records that neither run was made with. So the membership figures tell how well one known attack tells the withdrawn records from records that both were made with: 0.5 means that they are known alike, less that the model knows the withdrawn ones less. They are evidence and no proof.',
        ]),
  ]
}
