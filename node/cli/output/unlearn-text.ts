import type { SignedCertificate } from '#app/unlearn/certificate.ts'
import type { CertificateVerdict } from '#app/unlearn/certificate-check.ts'
import type { KeptOut } from '#app/unlearn/own-part.ts'
import type { UnlearnAnswer } from '#app/unlearn/unlearn.ts'
import { counted, shortHex } from '#base/format.ts'
import type { Style } from './style.ts'
import { facts } from './table.ts'

export function unlearnText(answer: UnlearnAnswer, style: Style): string {
  const { run, rounds, standIn, certificate, problem } = answer
  const out = answer.keptOutBy === null ? '' : `\n${keptOutText(answer.keptOutBy, standIn?.study, style)}`
  const again = `Then call ${style.bold('rota consent unlearn')} again.`
  const part = `The record was in the declared cohorts of ${counted(rounds.length, 'round')} of run ${run}.`
  switch (answer.state) {
    case 'not needed':
      return `No cohort that this site declared in run ${run} held the record: nothing is to be done.`
    case 'done':
      return certificate === null ? part : certificateText(certificate, style)
    case 'started':
      return `${part}\n${style.good('Started')}: run ${standIn?.run} of study ${standIn?.study}, without the record. When it is over, call this again for the certificate.${out}`
    case 'under way':
      return `${part}\nRun ${standIn?.run} of study ${standIn?.study} goes on without the record. When it is over, call this again for the certificate; rota status says how it goes.${out}`
    case 'published': {
      const why = problem === null ? [] : [`${style.warn(problem.code)} ${problem.what}`, `  → ${problem.remedy}`]
      const what = `Study ${standIn?.study} makes a model without the record. Its stewards are to approve it: ${style.bold(`rota study approve ${standIn?.study}`)}.`
      return [part, what, ...why, again].join('\n')
    }
  }
}

/** A steward must not learn from the certificate alone that the whole hospital is missing from the model. */
const keptOutText = ({ patients, part, least }: KeptOut, study: number | undefined, style: Style): string =>
  [
    `${style.warn('This hospital stays out of it')}: its patients who ${part} differ from those of an earlier exact run by ${patients}, and the difference of two results could show them.`,
    `The model is without all of its records. Once ${least} who ${part} differ, ${style.bold(`rota study start ${study}`)} opens a run that it takes part in, and this command certifies that one.`,
  ].join('\n')

const WHO = { 'records that neither run was made with': 'neither run was', 'records that both runs were made with': 'both runs were' } as const

function certificateText({ before, after, method, checkpoint, membership, says, account }: SignedCertificate, style: Style): string {
  const figure = (area: number | null | undefined): string => (area === null || area === undefined ? 'none' : area.toFixed(2))
  const head = facts(
    [
      ['method', method],
      ['before', `run ${before.run}, model ${shortHex(before.model.root)}, with the record in ${counted(before.roundsWithRecord.length, 'round')}`],
      ...(checkpoint === null ? [] : ([['from', `round ${checkpoint.round} of run ${checkpoint.run}, model ${shortHex(checkpoint.root)}`]] as const)),
      ['after', `run ${after.run} of study ${after.study}, ${counted(after.closedRounds, 'round')}, model ${shortHex(after.model.root)}`],
      [
        'told apart',
        membership === null
          ? 'no figure'
          : `${figure(membership.before)} before, ${figure(membership.after)} after (${membership.records} withdrawn beside ${counted(membership.others, 'record')} that ${WHO[membership.othersAre]} made with; 0.5 is not at all)`,
      ],
      ['signed by', account],
    ],
    style,
  )
  return `${head}\n${says.map((line) => `  ${line}`).join('\n')}\nWith --json > FILE it is written down.`
}

export function certificateVerdictText({ valid, signedBy, before, after, reason }: CertificateVerdict, style: Style): string {
  if (!valid) return `${style.bad('The certificate does not hold')}: ${reason}.`
  return `${style.good('The certificate holds')}, signed by ${style.bold(signedBy ?? '')}: run ${after} in place of run ${before}; ${reason}.
That none of these held the record is the word of the hospital: rota consent prove shows it for each round to the holder of the receipt, rota audit cohort to an auditor.`
}
