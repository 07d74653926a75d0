import type { LeaveStep, Leaving } from '#app/site/leave.ts'

/** What `rota leave` would do. */
export const planText = (plan: Leaving, folder: string): string =>
  [
    `${plan.name} (site ${plan.site}) would leave:`,
    '  1. abstain from new rounds',
    `  2. wait for rounds under way: ${plan.underWay.map(({ run, round, phase, leads }) => `run ${run} round ${round}, ${phase}${leads ? ', led from here' : ''}`).join('; ') || 'none'}${plan.nodeRuns || plan.underWay.length === 0 ? '' : ' (the node does not run: the others finish them)'}`,
    `  3. take back its approvals: ${studiesOf(plan)}`,
    `  4. end its membership, at once and for good: ${plan.others.length === 0 ? 'it is the last member, and cannot leave' : `${plan.others.join(', ')} stay`}`,
    serveText(plan),
    `Nothing was done. To leave: rota leave --folder ${folder} --yes`,
  ].join('\n')

export const stepText = (step: LeaveStep, leaving: Leaving): string =>
  ({
    resting: 'Abstaining from new rounds.',
    drained: 'No round is under way with this site in it.',
    'not drained': 'A round is still under way: the others finish it without this site.',
    withdrawn: `Approvals taken back: ${studiesOf(leaving)}.`,
    resigned: 'Membership ended.',
  })[step]

/** Where it stands afterwards. */
export const leaveText = (done: Leaving): string =>
  [
    `${done.name} (site ${done.site}) is no member any more.`,
    'The others hang up on its node: stop it. Sums and models they hold themselves.',
    'Keep the vault while you may have to show what this site contributed; then delete the folder. Models that were made stay made, and what others hold is theirs.',
  ].join('\n')

const studiesOf = ({ studies }: Leaving): string => studies.map(({ study, title }) => `${study}${title === null ? '' : ` (${title})`}`).join(', ') || 'none'

const serveText = ({ serveUntil }: Leaving): string =>
  serveUntil === null
    ? 'It has sent no update: nobody needs anything from here.'
    : `Others may want its last updates until ${serveUntil}, to catch up or to audit, and can fetch none once it has left. To give them that time: rota pause now, and leave then.`
