import { stringify } from 'yaml'
import { nearest } from '#base/nearest.ts'
import { FEWEST_IN_ROUND } from '#core/masking/drawn-groups.ts'
import { thresholdOf } from '#core/masking/threshold.ts'
import { checkProtocol, neuralFractionBits } from '#core/protocol/check.ts'
import { leastKeying, leastLimit } from '#core/protocol/least-limit.ts'
import { hidesUpdates, type LearnerSpec, type Limit, type LimitedPhase, type Protocol } from '#core/protocol/protocol.ts'
import { checkYaml, parseYaml, readYaml, wrongValue, type YamlFile } from '../yaml-file.ts'
import { fillPrivacy, stepsUnderNoise } from './fill-privacy.ts'
import { protocolBreaches } from './protocol-rules.ts'
import { ALGORITHMS, type DraftProtocol, LEARNER_KINDS, learnerSchema, protocolSchema, type WrittenLearner, type WrittenProtocol } from './protocol-schema.ts'
import { usualValidation } from './usual-validation.ts'

/** @throws ROTA-3001, 3041, 3042, 3043 with the line; 2104 when sums could overflow the ring, 23xx */
export const readProtocol = async (file: string): Promise<Protocol> => protocolFrom(await readYaml(file))

/** @throws ROTA-3041 not YAML, 3042 unknown key and the nearest right one, 3043 wrong value; each with its line; 2104 when sums could overflow the ring, 23xx */
export const parseProtocol = (text: string, file = 'protocol'): Protocol => protocolFrom(parseYaml(text, file))

/** What a program writes, checked and filled in as a file is. @throws as parseProtocol, with lines of the YAML that it would be */
export const protocolOf = (draft: DraftProtocol, name: string): Protocol => parseProtocol(protocolToYaml(draft), name)

/** YAML that `parseProtocol` reads back to the same protocol. */
export const protocolToYaml = (protocol: DraftProtocol): string => stringify(protocol, { lineWidth: 0 })

function protocolFrom(yaml: YamlFile): Protocol {
  const protocol = fillIn(checkYaml(yaml, protocolSchema(checkedLearner(yaml))), yaml)
  const breach = protocolBreaches(protocol)[0]
  if (breach !== undefined) throw wrongValue(yaml, breach.path, breach.reason)
  checkProtocol(protocol)
  return protocol
}

/** Kind and algorithm decide which other keys the learner has, so they are looked at first. */
function checkedLearner(yaml: YamlFile) {
  const learner = (yaml.value as { learner?: unknown } | null)?.learner
  const { kind, algorithm } = (typeof learner === 'object' && learner !== null ? learner : {}) as { kind?: unknown; algorithm?: unknown }
  const known = LEARNER_KINDS.find((k) => k === kind)
  if (known === undefined && kind !== undefined) throw wrongValue(yaml, ['learner', 'kind'], `unknown (nearest: ${nearest(String(kind), LEARNER_KINDS)})`)
  if (algorithm !== undefined && !ALGORITHMS.some((a) => a === algorithm)) {
    throw wrongValue(yaml, ['learner', 'algorithm'], `unknown (nearest: ${nearest(String(algorithm), ALGORITHMS)})`)
  }
  return learnerSchema(known ?? 'logistic', algorithm)
}

/** Defaults that follow from other keys. */
function fillIn(written: WrittenProtocol, yaml: YamlFile): Protocol {
  const { minSites, maxSites } = written
  const { privacy, validation, ...rest } = written
  // What was the only way once is not written, so that digests stay what they were.
  const { differencing, ...sizes } = written.cohort
  const cohort = differencing === 'rest' ? { ...sizes, differencing } : sizes
  const learner = stepsUnderNoise(fillLearner(written.learner, maxSites), yaml)
  const kind = written.label.kind ?? usualLabel(learner)
  const range = written.label.range ?? (kind === 'binary' ? ([0, 1] as const) : null)
  if (range === null) throw wrongValue(yaml, ['label', 'range'], 'a label that is not binary needs a range')
  // Masked: as few as can unmask, so that a site may drop out.
  const enough = Math.max(thresholdOf(minSites), written.mode === 'groups' ? FEWEST_IN_ROUND : 1)
  const quorum = written.quorum ?? (hidesUpdates(written) ? Math.min(minSites, enough) : minSites)
  const usual = validation ?? usualValidation({ ...written, cohort, learner })
  return {
    ...rest,
    cohort,
    learner,
    label: { ...written.label, kind, range },
    arithmetic: {
      wordBits: written.arithmetic.wordBits ?? (learner.kind === 'neural' ? 32 : 64),
      fractionBits: written.arithmetic.fractionBits ?? 32,
    },
    quorum,
    limits: fillLimits(written, maxSites),
    maxRounds: written.maxRounds ?? usualRounds(learner),
    ...(usual === undefined ? {} : { validation: usual }),
    ...(privacy === undefined ? {} : { privacy: fillPrivacy(privacy, learner, { cohort, quorum }, yaml) }),
  }
}

function fillLearner(learner: WrittenLearner, maxSites: number): LearnerSpec {
  if (learner.kind !== 'neural') return learner
  return { ...learner, fractionBits: learner.fractionBits ?? neuralFractionBits(learner.normBound, maxSites) }
}

function usualLabel(learner: LearnerSpec): Protocol['label']['kind'] {
  if (learner.kind === 'poisson') return 'count'
  return learner.kind === 'logistic' || (learner.kind === 'neural' && learner.loss === 'binaryCrossentropy') ? 'binary' : 'number'
}

/** Room for moments, evaluation, and repeats of refused or void rounds. */
function usualRounds(learner: LearnerSpec): number {
  if (learner.kind === 'statistics') return 8
  return ('rounds' in learner ? learner.rounds : 2 * learner.maxIterations) + 10
}

/** Contributing holds the training; the other phases move small messages. Each at least what the chain asks, in seconds and in blocks. */
function fillLimits({ limits: written, slices, mode }: WrittenProtocol, maxSites: number): Record<LimitedPhase, Limit> {
  const usual = (phase: LimitedPhase, seconds: number): Limit => {
    const least = hidesUpdates({ mode }) && phase === 'keying' ? leastKeying(maxSites) : leastLimit(phase, maxSites, slices)
    return { seconds: Math.max(seconds, least), blocks: least }
  }
  return {
    keying: written.keying ?? usual('keying', 60),
    contributing: written.contributing ?? usual('contributing', 600),
    witnessing: written.witnessing ?? usual('witnessing', 60),
    publishing: written.publishing ?? usual('publishing', 60),
    attesting: written.attesting ?? usual('attesting', 60),
  }
}
