import { FEWEST_IN_ROUND, FEWEST_IN_STUDY } from '#core/masking/drawn-groups.ts'
import { FEWEST_MASKED, MOST_MASKED, thresholdOf } from '#core/masking/threshold.ts'
import { whyNoGroups } from '#core/protocol/check-groups.ts'
import { leastKeying, leastLimit } from '#core/protocol/least-limit.ts'
import { hidesUpdates, isDeterministic, type LimitedPhase, mayRest, type Protocol } from '#core/protocol/protocol.ts'

/** A rule that binds several keys: where it fails and why, or nothing. */
interface Breach {
  readonly path: readonly (string | number)[]
  readonly reason: string
}

/** What no single key can tell. The first breach is reported, with its line; core/protocol/check.ts says the same without lines, and guards the ring against overflow. */
export function protocolBreaches(p: Protocol): readonly Breach[] {
  return [
    ...featureBreaches(p),
    ...labelBreaches(p),
    ...siteBreaches(p),
    ...learnerBreaches(p),
    ...readerBreaches(p),
    ...privacyBreaches(p),
    ...validationBreaches(p),
  ]
}

function* featureBreaches(p: Protocol): Generator<Breach> {
  const names = p.features.map((f) => f.name)
  for (const [i, feature] of p.features.entries()) {
    if (names.indexOf(feature.name) !== i) yield { path: ['features', i, 'name'], reason: `the name ${feature.name} is used twice` }
    if (feature.name === '(intercept)') yield { path: ['features', i, 'name'], reason: 'this name is kept for the intercept' }
    if (feature.name === p.label.name) yield { path: ['features', i, 'name'], reason: 'the label is never a feature' }
    if (typeof feature.missing === 'object' && !within(feature.missing.fill, feature.range))
      yield { path: ['features', i, 'missing'], reason: 'the filled-in value lies outside the range' }
  }
}

function* labelBreaches(p: Protocol): Generator<Breach> {
  const { kind, range } = p.label
  const wanted = labelKinds(p)
  if (!wanted.includes(kind)) yield { path: ['label', 'kind'], reason: `a ${p.learner.kind} study needs a label of kind ${wanted.join(' or ')}` }
  if (kind === 'binary' && (range[0] !== 0 || range[1] !== 1)) yield { path: ['label', 'range'], reason: 'a binary label has the range [0, 1]' }
  if (kind === 'count' && range[0] < 0) yield { path: ['label', 'range'], reason: 'a count begins at 0' }
}

function labelKinds(p: Protocol): readonly Protocol['label']['kind'][] {
  const { learner } = p
  if (learner.kind === 'logistic') return ['binary']
  if (learner.kind === 'poisson') return ['count']
  if (learner.kind === 'neural' && learner.loss === 'binaryCrossentropy') return ['binary']
  return learner.kind === 'statistics' ? ['number', 'count', 'binary'] : ['number', 'count']
}

function* siteBreaches(p: Protocol): Generator<Breach> {
  if (p.minSites > p.maxSites) yield { path: ['minSites'], reason: 'larger than maxSites' }
  if (p.quorum > p.minSites) yield { path: ['quorum'], reason: 'may be at most minSites: a run may open with that many sites' }
  if (p.slices > p.minSites) yield { path: ['slices'], reason: 'may be at most minSites: each slice needs a custodian of its own' }
  if (hidesUpdates(p)) yield* maskedBreaches(p)
  if (p.mode === 'groups') yield* groupBreaches(p)
  if (p.cohort.minRows > p.cohort.maxRows) yield { path: ['cohort', 'minRows'], reason: 'larger than maxRows' }
  if (mayRest(p) && !isDeterministic(p))
    yield { path: ['cohort', 'differencing'], reason: 'only exact learners need it: with noise, and of a network, a run goes on without who withdrew' }
  for (const phase of Object.keys(p.limits) as LimitedPhase[]) {
    // Of the n sites that take part the chain asks this; fewer than minSites never do.
    const least = leastLimit(phase, p.minSites, p.slices)
    const why = least === p.minSites + 3 ? 'minSites + 3' : '3 × slices + 3'
    for (const unit of ['seconds', 'blocks'] as const)
      if (p.limits[phase][unit] < least) yield { path: ['limits', phase, unit], reason: `must be at least ${why} = ${least}` }
  }
}

function* maskedBreaches({ minSites, quorum, maxSites, limits }: Protocol): Generator<Breach> {
  if (minSites < FEWEST_MASKED)
    yield {
      path: ['minSites'],
      reason: `a masked study needs at least ${FEWEST_MASKED} sites: among fewer the sum itself shows too much of each. Write mode: open, in which members see each other's updates`,
    }
  const needed = thresholdOf(minSites)
  if (quorum < needed)
    yield { path: ['quorum'], reason: `a masked study of ${minSites} sites needs at least ${needed}: so many take the masks off a sum together` }
  const least = leastKeying(minSites)
  for (const unit of ['seconds', 'blocks'] as const)
    if (limits.keying[unit] < least)
      yield {
        path: ['limits', 'keying', unit],
        reason: `must be at least 2 × (minSites + 3) = ${least} in a masked study: half of it goes by before sites call`,
      }
  if (maxSites > MOST_MASKED)
    yield { path: ['maxSites'], reason: `a masked study has at most ${MOST_MASKED} sites: each shares its secrets with each other one` }
}

function* groupBreaches(p: Protocol): Generator<Breach> {
  const reason = whyNoGroups(p)
  if (reason !== null) yield { path: ['mode'], reason: `no groups for this study: ${reason}. Write mode: masked` }
  if (p.minSites < FEWEST_IN_STUDY)
    yield { path: ['minSites'], reason: `a study in groups needs at least ${FEWEST_IN_STUDY} sites: three groups of four, and one of each may stay away` }
  if (p.quorum < FEWEST_IN_ROUND) yield { path: ['quorum'], reason: `must be at least ${FEWEST_IN_ROUND} in groups: three of four sites` }
}

function* learnerBreaches(p: Protocol): Generator<Breach> {
  const { learner } = p
  const words = learner.kind === 'neural' ? 32 : 64
  if (p.arithmetic.wordBits !== words) yield { path: ['arithmetic', 'wordBits'], reason: `must be ${words} for this learner` }
  if (learner.kind === 'neural' && learner.layers.at(-1)?.config.units !== 1)
    yield { path: ['learner', 'layers', learner.layers.length - 1, 'config', 'units'], reason: 'the last layer must have 1 unit: one label per patient' }
  if (p.start !== undefined && learner.kind !== 'neural')
    yield { path: ['start'], reason: 'only networks train on from another run; this learner is fitted anew' }
  if ('rounds' in learner && p.maxRounds <= learner.rounds)
    yield { path: ['maxRounds'], reason: "must exceed the learner's rounds: moments and evaluation take rounds of their own" }
}

function* readerBreaches(p: Protocol): Generator<Breach> {
  const keys = p.readers.map((reader) => reader.encryptionKey)
  for (const [i, key] of keys.entries()) if (keys.indexOf(key) !== i) yield { path: ['readers', i, 'encryptionKey'], reason: 'this key is named twice' }
}

function* privacyBreaches({ privacy, learner, cohort, mode, quorum }: Protocol): Generator<Breach> {
  if (privacy === undefined) return
  if (privacy.place === 'distributed' && mode !== 'masked')
    yield { path: ['privacy', 'place'], reason: 'only masks keep a vector with a share of the noise from being seen: mode must be masked' }
  if (privacy.place === 'distributed' && learner.kind === 'neural')
    yield { path: ['privacy', 'place'], reason: 'a network has a step after each draw, with noise of its own: local' }
  if (privacy.place === 'local' && privacy.colluders !== undefined) yield { path: ['privacy', 'colluders'], reason: 'local noise does not count on others' }
  if ((privacy.colluders ?? 0) >= quorum) yield { path: ['privacy', 'colluders'], reason: 'must be below quorum: nobody would be left to add noise' }
  if (privacy.minPatients > cohort.maxRows) yield { path: ['privacy', 'minPatients'], reason: 'larger than cohort.maxRows: no site could take part' }
  if (learner.kind !== 'neural' && privacy.expectedBatch !== undefined)
    yield { path: ['privacy', 'expectedBatch'], reason: 'only networks draw batches; this learner uses all patients in every round' }
}

function* validationBreaches({ validation, mode, learner, privacy }: Protocol): Generator<Breach> {
  if (validation === undefined) return
  if (mode === 'open') yield { path: ['validation'], reason: "only where updates are hidden sites vote: in an open one members look at each other's updates" }
  if (learner.kind === 'statistics') yield { path: ['validation'], reason: 'statistics foretell nothing that rows could be held against' }
  if (privacy !== undefined)
    yield { path: ['validation'], reason: 'each vote would tell of test rows without noise, and nothing is charged for it: a private study has none' }
}

const within = (value: number, [low, high]: readonly [number, number]): boolean => value >= low && value <= high
