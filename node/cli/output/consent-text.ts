import type { CohortOpening } from '#app/consent/consent-open.ts'
import type { CohortProof } from '#app/consent/consent-prove.ts'
import type { RecordedConsents } from '#app/consent/consent-record.ts'
import type { ConsentStatus } from '#app/consent/consent-status.ts'
import type { Verdict } from '#app/consent/consent-verify.ts'
import type { DeskWithdrawal, Withdrawal } from '#app/consent/consent-withdraw.ts'
import { count, shortHex } from '#base/format.ts'
import type { Style } from './style.ts'
import { facts, table } from './table.ts'

export function recordedText({ programme, recorded, handover, root, problem }: RecordedConsents, style: Style): string {
  return [
    recorded === 0 ? `Nobody new under "${programme}".` : `${style.good('Recorded')} ${count(recorded)} consents under "${programme}".`,
    ...(handover === null ? [] : [`Receipts are written; ${handover} says whose is which. Hand them over, then delete both here.`]),
    rootText(root),
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

export function deskText({ tag, inData, relayed, root, problem }: DeskWithdrawal, style: Style): string {
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
    ...problemText(problem, 'The stop here stands; the chain does not know yet.', style),
  ]
    .filter((line) => line !== '')
    .join('\n')
}

export function consentText({ programmes, receipts }: ConsentStatus, style: Style): string {
  const rows = programmes.map((p) => [
    p.programme,
    count(p.granted),
    count(p.withdrawnHere),
    count(p.withdrawnOnChain),
    count(p.withdrawalsOfAll),
    p.root?.epoch,
    shortHex(p.root?.root),
    p.root === null ? 'none on chain' : p.current ? 'current' : 'behind',
  ])
  const counts =
    rows.length === 0
      ? 'No programme is known here yet.'
      : table(['programme', 'consenting', 'withdrawn here', 'by receipt', 'of all sites', 'epoch', 'root', ''], rows, style)
  return [counts, ...receipts.map((receipt) => receiptText(receipt, style))].join('\n\n')
}

function receiptText({ programme, tag, grantedAt, withdrawnAtBlock, here, rounds }: ConsentStatus['receipts'][number], style: Style): string {
  const head = facts(
    [
      ['receipt', tag],
      ['programme', programme],
      ['granted', grantedAt],
      ['on chain', withdrawnAtBlock === null ? 'not withdrawn' : `withdrawn in block ${withdrawnAtBlock}`],
      ['at this site', here === 'unknown' ? 'not from here' : here],
    ],
    style,
  )
  if (rounds.length === 0) return head
  return [
    head,
    table(
      ['run', 'round', 'in the cohort', 'cohort root'],
      rounds.map((r) => [
        r.run,
        r.round,
        { in: r.before ? 'yes, before the receipt' : 'yes', 'not in': 'no', unknown: 'cannot be told any more' }[r.cohort],
        shortHex(r.cohortRoot),
      ]),
      style,
    ),
  ].join('\n')
}

export function provedText({ run, round, site, granted, cohort }: CohortProof, style: Style): string {
  const what =
    cohort === null
      ? `This site (${site}) declared no cohort in round ${round} of run ${run}.`
      : `A proof about round ${round} of run ${run}, with the consent of epoch ${granted.epoch}.`
  return `${what}\nWith --json > FILE it is written down; its receiver checks it: ${style.bold('rota consent verify --receipt FILE --proof FILE --chain URL')}`
}

export function openedText({ run, round, secrets, granted }: CohortOpening, style: Style): string {
  const within = granted === null ? 'no consent stood on chain then' : `${count(granted.entries.length)} consents stood in epoch ${granted.epoch}`
  return `The cohort of round ${round} of run ${run}: ${count(secrets.length)} members; ${within}.\nWith --json > FILE it is written down for an auditor: ${style.bold('rota audit cohort --opening FILE')}`
}

export function verdictText({ valid, round, state, reason }: Verdict, style: Style): string {
  if (!valid) return `${style.bad('The proof does not hold')}: ${reason}.`
  return `${style.good('The proof holds')}. In round ${round} the record was ${style.bold(state)}: ${reason}.\nIt shows which cohort the hospital declared.`
}

const rootText = (root: { readonly epoch: number; readonly root: string; readonly block: number } | null): string =>
  root === null ? '' : `Root of the standing consents on chain: epoch ${root.epoch}, ${shortHex(root.root)}, block ${root.block}`

const problemText = (problem: RecordedConsents['problem'], what: string, style: Style): string[] =>
  problem === null ? [] : [`${style.bad(problem.code)} ${problem.what}\n  → ${problem.remedy}`, style.warn(what)]
