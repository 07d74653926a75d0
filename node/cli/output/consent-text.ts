import type { ConfirmationVerdict } from '#app/consent/confirmation-check.ts'
import type { CohortProof } from '#app/consent/consent-prove.ts'
import type { RecordedConsents } from '#app/consent/consent-record.ts'
import type { ConsentStatus } from '#app/consent/consent-status.ts'
import type { Verdict } from '#app/consent/consent-verify.ts'
import type { Withdrawal } from '#app/consent/consent-withdraw.ts'
import type { ReceiptVerdict } from '#app/consent/receipt-check.ts'
import type { HistoryEntry } from '#app/consent/receipt-history.ts'
import type { DeskWithdrawal } from '#app/consent/withdraw-at-desk.ts'
import type { Confirmation } from '#app/consent/withdrawal-confirm.ts'
import { count, counted, shortHex } from '#base/format.ts'
import type { Style } from './style.ts'
import { facts, table } from './table.ts'

export function recordedText({ programme, recorded, handover, root, countsFrom, nearestKnown, problem }: RecordedConsents, style: Style): string {
  return [
    recorded === 0 ? `Nobody new under "${programme}".` : `${style.good('Recorded')} ${counted(recorded, 'consent')} under "${programme}".`,
    ...(nearestKnown === undefined || recorded === 0
      ? []
      : [
          style.warn(
            `No terms, no study and no consents here had a programme of this name. If "${nearestKnown}" was meant, withdraw these and record them under it.`,
          ),
        ]),
    ...(handover === null ? [] : [`Receipts are written; ${handover} says whose is which. Hand them over, then delete both here.`]),
    rootText(root),
    countsFrom === undefined
      ? ''
      : `They stand on chain from ${minuteOf(countsFrom)} on, with the root that the running node puts there; where consent is asked for, they count from then.`,
    ...problemText(problem, 'The consents stand here, but the chain does not know yet. Later: rota consent record --programme NAME', style),
  ]
    .filter((line) => line !== '')
    .join('\n')
}

export const withdrawnText = (withdrawn: readonly Withdrawal[], style: Style): string =>
  table(
    ['receipt', 'programme', 'tag', 'block', ''],
    withdrawn.map((w) => [w.file, w.programme, shortHex(w.tag), w.block, w.already ? 'was withdrawn before' : 'withdrawn']),
    style,
  )

export function deskText({ tag, inData, relayed, root, confirmation, problem }: DeskWithdrawal, style: Style): string {
  const chain =
    relayed !== null
      ? `On chain since block ${relayed.block}: tag ${relayed.tag}`
      : tag !== null && problem === null
        ? `Tag ${tag}: the patient, or whoever has the receipt, can withdraw it on chain too (rota consent withdraw --receipt FILE).`
        : ''
  return [
    `${style.good('Stopped here, at once')}: no study under this programme uses these rows any more.`,
    inData ? '' : style.warn("No row of this site's data file has this name; the objection is kept for when one does. Check the spelling."),
    chain,
    rootText(root),
    `${confirmation.receipt.seal === null ? 'Confirmation' : 'Countersigned confirmation'} to print and hand over: ${confirmation.sheet}`,
    confirmation.receipt.seal === null ? 'It is not countersigned while the chain is away. Later: rota consent confirm' : '',
    ...problemText(problem, 'The stop here stands; the chain does not know yet.', style),
  ]
    .filter((line) => line !== '')
    .join('\n')
}

export function consentText({ programmes, receipts }: ConsentStatus, style: Style): string {
  const rows = programmes.map((p) => [
    p.programme,
    count(p.granted),
    count(p.ended),
    count(p.withdrawnHere),
    count(p.withdrawnOnChain),
    count(p.withdrawalsOfAll),
    p.root?.epoch,
    shortHex(p.root?.root),
    p.root === null ? 'none on chain' : p.current ? 'current' : p.nextRoot === null ? 'behind' : `next ${minuteOf(p.nextRoot)}`,
  ])
  const counts =
    rows.length === 0
      ? 'No programme is known here yet.'
      : table(['programme', 'consenting', 'ended', 'withdrawn here', 'by receipt', 'of all sites', 'epoch', 'root', ''], rows, style)
  return [counts, ...receipts.map((receipt) => receiptText(receipt, style))].join('\n\n')
}

function receiptText(receipt: ConsentStatus['receipts'][number], style: Style): string {
  const { programme, tag, grantedAt, withdrawnAtBlock, here, rounds, countersignedBy, inclusionHolds, history, renewed } = receipt
  const head = facts(
    [
      ['receipt', tag],
      ['programme', programme],
      ['granted', grantedAt],
      ['on chain', withdrawnAtBlock === null ? 'not withdrawn' : `withdrawn in block ${withdrawnAtBlock}`],
      ['at this site', here === 'unknown' ? 'not from here' : here],
      ['countersigned', countersignedBy === null ? 'not by a member of now' : `by ${countersignedBy}`],
      [
        'inclusion',
        inclusionHolds === null
          ? 'no proof of the root is in it: --write puts one there'
          : inclusionHolds
            ? 'its proof leads to the root on chain'
            : style.bad('its proof does not hold'),
      ],
    ],
    style,
  )
  const story = table(
    ['when', 'what', ''],
    history.map((entry) => [entry.at, entry.what, historyText(entry)]),
    style,
  )
  const written = renewed === null ? [] : [`Written anew, countersigned: ${renewed.file}, and to print: ${renewed.sheet}`]
  return [head, story, ...(rounds.length === 0 ? [] : [roundsText(rounds, style)]), ...written].join('\n\n')
}

const roundsText = (rounds: ConsentStatus['receipts'][number]['rounds'], style: Style): string =>
  table(
    ['run', 'round', 'in the cohort', 'cohort root'],
    rounds
      .toSorted((a, b) => a.run - b.run || a.round - b.round)
      .map((r) => [
        r.run,
        r.round,
        { in: r.before ? 'yes, before the receipt' : 'yes', 'not in': 'no', unknown: 'cannot be told any more' }[r.cohort],
        shortHex(r.cohortRoot),
      ]),
    style,
  )

function historyText(entry: HistoryEntry): string {
  switch (entry.what) {
    case 'granted':
      return entry.terms === null ? 'no terms on chain' : `terms version ${entry.terms.version}`
    case 'on chain':
    case 'root without':
      return `epoch ${entry.epoch}, block ${entry.block}`
    case 'used':
      return `in ${counted(entry.rounds, 'round')}, first in round ${entry.round} of run ${entry.run}`
    case 'stopped here':
      return { page: 'by the page', desk: 'at the desk', chain: 'as the chain says' }[entry.road]
    case 'ended':
      return 'its time, or that of its terms, was over'
    case 'withdrawn':
      return `block ${entry.block}, ${entry.road}`
    case 'first round without':
    case 'used after withdrawal':
      return `round ${entry.round} of run ${entry.run}, opened in block ${entry.openedAtBlock}`
    case 'updates deleted':
      return `${count(entry.updates)} of this site, a day after their rounds`
    case 'updates kept':
      return `${count(entry.updates)} of ${count(entry.of)} of this site, until a day after their rounds`
  }
}

export function provedText({ run, round, site, granted, cohort }: CohortProof, style: Style): string {
  const what =
    cohort === null
      ? `This site (${site}) declared no cohort in round ${round} of run ${run}.`
      : `A proof about round ${round} of run ${run}, with the consent of epoch ${granted.epoch}.`
  return `${what}\nWith --json > FILE it is written down; its receiver checks it: ${style.bold('rota consent verify --receipt FILE --proof FILE --chain URL')}`
}

export function verdictText({ valid, run, round, state, reason }: Verdict, style: Style): string {
  if (!valid) return `${style.bad('The proof does not hold')}: ${reason}.`
  return `${style.good('The proof holds')}. In round ${round} of run ${run} the record was ${style.bold(state)}: ${reason}.\nIt shows which cohort the hospital declared.`
}

/** As 2031-12-31 14:05 UTC. */
const minuteOf = (iso: string): string => `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`

export function checkedText({ valid, countersignedBy, withdrawnAtBlock, reason }: ReceiptVerdict, style: Style): string {
  const head = valid ? `${style.good('The receipt holds')}, signed by ${style.bold(countersignedBy ?? '')}` : style.bad('The receipt does not hold')
  return `${head}: ${reason}.\n${withdrawnAtBlock === null ? 'It is not withdrawn.' : `It was withdrawn in block ${withdrawnAtBlock}.`}`
}

export function confirmationText({ valid, countersignedBy, programme, withdrawnAt, withdrawnAtBlock, reason }: ConfirmationVerdict, style: Style): string {
  const head = valid ? `${style.good('The confirmation holds')}, signed by ${style.bold(countersignedBy ?? '')}` : style.bad('The confirmation does not hold')
  const chain = withdrawnAtBlock === null ? 'No tag of it is withdrawn on the chain.' : `The chain has its tag as withdrawn since block ${withdrawnAtBlock}.`
  return `${head}: ${reason}.\nWithdrawn under ${programme}, ${minuteOf(withdrawnAt)}. ${chain}`
}

const rootText = (root: { readonly epoch: number; readonly root: string; readonly block: number } | null): string =>
  root === null ? '' : `Root of the standing consents on chain: epoch ${root.epoch}, ${shortHex(root.root)}, block ${root.block}`

const problemText = (problem: RecordedConsents['problem'], what: string, style: Style): string[] =>
  problem === null ? [] : [`${style.bad(problem.code)} ${problem.what}\n  → ${problem.remedy}`, style.warn(what)]

export const confirmedText = (confirmed: readonly Confirmation[], style: Style): string =>
  confirmed.length === 0
    ? 'Every confirmation here is countersigned already.'
    : `${style.good('Countersigned')} ${counted(confirmed.length, 'confirmation')}, to print and hand over:\n${confirmed.map(({ sheet }) => sheet).join('\n')}`
