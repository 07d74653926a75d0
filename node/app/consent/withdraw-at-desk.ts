import { localWithdraw } from '#adapters/cohort/consent-desk.ts'
import { patientDigest } from '#adapters/cohort/patient-digest.ts'
import { newestTerms } from '#app/programme/terms-on-chain.ts'
import type { AtSite } from '#app/site/at-site.ts'
import { openSiteFolder, type SiteFolder } from '#app/site/site-folder.ts'
import type { StudyCall } from '#app/study/studies.ts'
import type { Digest } from '#base/ids.ts'
import type { LawfulBasis } from '#core/consent/terms.ts'
import type { ToldError } from '../told-error.ts'
import { deskOf, ownPatients, rooted } from './consent-record.ts'
import type { ConsentRoot } from './consent-root.ts'
import { basisOf, relayOwn, type Withdrawal } from './consent-withdraw.ts'
import { type FoundWithdrawal, lastWithdrawal } from './last-withdrawal.ts'
import { receiptNetwork } from './receipt-issue.ts'
import { knownLanguage } from './receipt-print.ts'
import { whileWaiting } from './while-waiting.ts'
import { type Confirmation, confirmWithdrawal } from './withdrawal-confirm.ts'

export interface DeskCall extends StudyCall {
  readonly programme: string
  readonly patient: string
  /** Folder where the patient's receipt may lie, to withdraw on chain too. */
  readonly receipts: string | undefined
  /** Where the countersigned confirmation goes; default: `withdrawals` in the site's folder. */
  readonly confirmations?: string | undefined
  readonly language?: string | undefined
  /** How long the chain is waited for; default 8 s: a person stands at the desk, and the stop is made. */
  readonly patienceMs?: number
}

export interface DeskWithdrawal {
  readonly programme: string
  /** Null for a patient who never had a receipt: the stop is this site's alone. */
  readonly tag: Digest | null
  /** Whether the site's own file has rows of this patient. */
  readonly inData: boolean
  /** The relayed withdrawal; null where no receipt was at hand. */
  readonly relayed: Withdrawal | null
  readonly root: ConsentRoot | null
  /** To print and hand over. */
  readonly confirmation: Confirmation
  /** Why the chain does not say so yet; the stop here stands. */
  readonly problem: ToldError | null
}

/**
 * At the desk, by the patient's name: this site stops using the rows at once, whether the chain can be reached or not, and says so in a
 * countersigned confirmation.
 * @throws ROTA-6004 when there is nothing to withdraw, 6023 before anything is done: no such language
 */
export async function withdrawAtDesk(call: DeskCall): Promise<DeskWithdrawal> {
  if (call.language !== undefined) knownLanguage(call.language)
  const folder = await openSiteFolder(call.folder, call.password)
  const inData = (await ownPatients(folder).catch((): readonly string[] => [])).includes(call.patient)
  // Who consented here is out of use before anybody asks the chain.
  let stopped = (await isGranted(folder, call)) ? await stop(folder, call, 'consent') : null
  const told = await onChain(folder, call, async (site) => {
    const basis = (await newestTerms(site.chain, call.programme))?.terms.lawfulBasis ?? (await basisOf(site, call.programme, call.signal))
    stopped = stopped === null ? await stop(folder, call, basis) : { ...stopped, lawfulBasis: basis }
    return stopped.tag
  })
  // Where the chain is away nobody knows the basis: an objection is kept, since refusing it would harm.
  const found = stopped ?? (await stop(folder, call, 'opt-out'))
  const { network, own, relayed, root, problem } = told
  const block = relayed?.block ?? null
  const confirmation = await confirmWithdrawal(folder, call, {
    ...{ ...found, network, root },
    site: { id: own, name: folder.config.name },
    onChain: block === null ? null : { block },
  })
  return { programme: call.programme, tag: found.tag, inData, relayed, root, problem, confirmation }
}

async function isGranted({ consents, vault }: SiteFolder, { programme, patient }: DeskCall): Promise<boolean> {
  return (await consents.standings(programme)).get(patientDigest(vault, patient))?.state === 'granted'
}

async function stop(folder: SiteFolder, call: DeskCall, lawfulBasis: LawfulBasis): Promise<FoundWithdrawal> {
  await localWithdraw(deskOf(folder), call.programme, call.patient, lawfulBasis)
  return lastWithdrawal(folder, call, lawfulBasis)
}

interface ToldChain extends Pick<DeskWithdrawal, 'relayed' | 'root' | 'problem'> {
  readonly network: ReturnType<typeof receiptNetwork> | null
  readonly own: number | null
}

/** The tag and the root, where the chain takes them. */
async function onChain(folder: SiteFolder, call: DeskCall, stopped: (site: AtSite) => Promise<Digest | null>): Promise<ToldChain> {
  const { done, problem } = await whileWaiting(folder, call, async (site) => {
    const relayed = await relayOwn(site, await stopped(site), call.receipts, call.signal)
    const root = relayed.problem === null ? await rooted(site, call.programme) : { root: null }
    return { network: receiptNetwork(site), own: site.own.id, ...relayed, ...root }
  })
  return done ?? { network: null, own: null, relayed: null, root: null, problem }
}
