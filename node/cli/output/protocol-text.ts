import type { ApprovalPreview } from '#app/protocol/approval-preview.ts'
import { modeLabel, privacyLabel } from '#app/results/privacy-statement.ts'

type Protocol = ApprovalPreview['protocol']

/** A protocol in a few lines, for people who decide about it. */
export const protocolFacts = (protocol: Protocol): readonly (readonly [string, string])[] => [
  ['purpose', protocol.purpose],
  ['lawful basis', protocol.lawfulBasis === 'consent' ? `consent to "${protocol.programme}"` : `opt-out from "${protocol.programme}"`],
  [
    'patients',
    `${protocol.cohort.rule}; at least ${protocol.cohort.minRows} train rows at a site${protocol.cohort.differencing === 'rest' ? '; after a withdrawal some rest' : ''}`,
  ],
  ['predicts', `${protocol.label.name} (${protocol.label.kind})`],
  ['from', protocol.features.map(({ name, unit, range }) => `${name} [${range.join(' to ')}${unit === '1' ? '' : ` ${unit}`}]`).join(', ')],
  ['learner', learnerText(protocol.learner)],
  ['sites', `${protocol.minSites} at least, ${protocol.quorum} in each round, ${protocol.maxSites} at most`],
  ['mode', modeLabel(protocol.mode)],
  ['privacy', privacyLabel(protocol.privacy)],
  ['readers', protocol.readers.map(({ name }) => name).join(', ') || 'none'],
]

function learnerText(learner: Protocol['learner']): string {
  if (learner.kind === 'statistics') return `statistics, ${learner.bins} bins`
  if (learner.kind === 'neural')
    return `network of ${learner.layers.map(({ config }) => config.units).join('-')} units, fedavg, ${learner.rounds} rounds of ${learner.localEpochs} epochs`
  const penalty = learner.l2 > 0 ? `, l2 ${learner.l2}` : ''
  if (learner.algorithm === 'fedavg') return `${learner.kind} by fedavg, ${learner.rounds} rounds of ${learner.localSteps} steps${penalty}`
  return `${learner.kind} by newton${penalty}${learner.siteIntercepts ? ', private site intercepts' : ''}`
}
