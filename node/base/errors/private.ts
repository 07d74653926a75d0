import type { ErrorEntry } from '../errors.ts'

/** Private training: what it cannot do, or not at these settings. */
export const privateErrors = {
  'ROTA-2381': {
    what: 'Layer {layer} normalises over the rows of a batch, so one patient changes what all others send; it cannot be trained with differential privacy.',
    remedy: 'Use GroupNormalization in its place: it normalises within each row.',
    reaction: 'reject',
  },
  'ROTA-2382': {
    what: '{missing} of {rows} rows have no patient identifier, and the study protects patients, not rows.',
    remedy: 'Name the column with the patient in the site folder; rows of one patient must be protected together.',
    reaction: 'stop',
  },
  'ROTA-2383': {
    what: 'The cohort has {patients} patients; the privacy policy asks for {minimum} at least.',
    remedy: 'Take part when more patients consent, or agree on a policy with a lower minimum: fewer patients mean more noise for each.',
    reaction: 'stop',
  },
  'ROTA-2384': {
    what: '{parameter} is {value}; private training needs {expected}.',
    remedy: 'Correct it in the privacy policy.',
    reaction: 'reject',
  },
  'ROTA-2385': {
    what: 'With {sites} sites, {rows} rows each and noise of {noise}, {coordinate} can exceed {wordBits}-bit words.',
    remedy: 'Use 64-bit words, fewer fraction bits, a lower clip, or fewer rows a site.',
    reaction: 'reject',
  },
  'ROTA-2386': {
    what: 'The model cannot be trained with differential privacy: {reason}.',
    remedy: 'Use a sequence of layers in which each row is computed from that row alone.',
    reaction: 'reject',
  },
  'ROTA-2387': {
    what: 'A {learner} study cannot be fitted with differential privacy: {reason}.',
    remedy:
      'Take statistics, a linear or logistic model by newton, or a network; or publish the study without a privacy section, and it says so wherever its results stand.',
    reaction: 'reject',
  },
  'ROTA-2388': {
    what: 'The {rounds} rounds of the study spend epsilon {needed} as the chain counts; its limit is {epsilon}.',
    remedy:
      'Raise privacy.noise or privacy.epsilon, or take fewer rounds; rota privacy plan works it out. Rounds that come to nothing are spent too: leave room for some.',
    reaction: 'reject',
  },
} as const satisfies Record<string, ErrorEntry>
