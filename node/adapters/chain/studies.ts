import { type Address, type Digest, type StudyId, studyId } from '#base/ids.ts'
import type { PrivacyPolicy, StudyRules } from '#ports/chain.ts'
import type { Link } from './link.ts'
import { openSender } from './sender.ts'
import { MODES, numberOf } from './views.ts'
import { fromReceipt, sendTo } from './writer.ts'

/** Publishing is a node's act, approving and withdrawing a steward's. */
export interface StudyDesk {
  readonly account: Address
  /** By a member's node account. @throws ROTA-5302, ROTA-5303 when the contract does not take the numbers */
  publish(protocolDigest: Digest, protocolCid: Digest, rules: StudyRules): Promise<StudyId>
  /** By the publisher, before any approval: the study is accounted. @throws ROTA-5310, ROTA-5311 */
  setPolicy(study: StudyId, policy: PrivacyPolicy): Promise<void>
  /** By a steward; the digest is that of the protocol which was read. @throws ROTA-5305 when the study has another */
  approve(study: StudyId, protocolDigest: Digest): Promise<void>
  /** By a steward: the site takes no further part, from this transaction on. */
  withdrawSite(study: StudyId): Promise<void>
  /** By a member's node account: releases a run's newest model, on the digest of the evidence. */
  endorse(run: number, result: Digest, evidence: Digest): Promise<void>
}

/** @param signer private key of the acting account, 0x-hex */
export function studyDesk(link: Link, signer: string): StudyDesk {
  const sender = openSender(link, signer)
  const send = sendTo(link, sender)
  return {
    account: sender.account,
    async publish(protocolDigest, protocolCid, rules) {
      const receipt = await send('StudyRegistry', 'publish', [protocolDigest, protocolCid, onChain(rules)])
      return studyId(numberOf(fromReceipt(receipt, 'StudyRegistry', 'StudyPublished', 'study')))
    },
    setPolicy: async (study, { charge, limit }) => void (await send('PrivacyLedger', 'setPolicy', [study, charge, limit])),
    approve: async (study, protocolDigest) => void (await send('StudyRegistry', 'approve', [study, protocolDigest])),
    withdrawSite: async (study) => void (await send('StudyRegistry', 'withdrawSite', [study])),
    endorse: async (run, result, evidence) => void (await send('ModelLedger', 'endorse', [run, result, evidence])),
  }
}

const onChain = (rules: StudyRules) => ({
  ...rules,
  mode: MODES.indexOf(rules.mode),
  limits: rules.limits.map(({ seconds, blocks }) => ({ seconds_: seconds, blocks })),
})
