import type { ErrorEntry } from '../errors.ts'

export const privacyErrors = {
  'ROTA-2351': {
    what: 'Epsilon is {epsilon}: it must be above 0 and at most {most}.',
    remedy: 'Give an epsilon between 0.1 and 10; above 10 the promise is weak, and below 0.1 the noise drowns most results.',
    reaction: 'reject',
  },
  'ROTA-2352': {
    what: 'Delta is {delta}: it must be at least {least} and below 1.',
    remedy: 'Take one well below 1 divided by the number of patients, such as 1e-5: delta is the chance that the promise of epsilon does not hold.',
    reaction: 'reject',
  },
  'ROTA-2353': {
    what: 'The sampling rate is {samplingRate}: it must be above 0 and at most 1.',
    remedy: 'It is the probability that one patient is in one step: the expected batch divided by the number of patients.',
    reaction: 'reject',
  },
  'ROTA-2354': {
    what: 'The noise is {noise}: it must be between {least} and {most}.',
    remedy: 'It is the standard deviation of the noise in units of the clip norm; 0.5 to 5 is usual. Without noise there is no differential privacy to count.',
    reaction: 'reject',
  },
  'ROTA-2355': {
    what: 'The number of steps is {steps}: it must be a whole number from 1 to {most}.',
    remedy: 'Count every step that used noise: rounds times local steps.',
    reaction: 'reject',
  },
  'ROTA-2356': {
    what: 'The cohort has {cohort} patients: fewer than {least} are not planned for.',
    remedy: 'With so few, noise that protects one of them leaves nothing of the result. Join with another site, or keep the rows out of the study.',
    reaction: 'reject',
  },
  'ROTA-2357': {
    what: 'No noise up to {most} gives epsilon {epsilon} at delta {delta} for {steps} steps at a sampling rate of {samplingRate}.',
    remedy: 'Allow a larger epsilon, fewer steps or smaller batches.',
    reaction: 'reject',
  },
  'ROTA-2358': {
    what: 'A batch of {batch} patients is expected from a cohort of {cohort}.',
    remedy: 'The expected batch is at least 1 and at most the cohort; all patients in every step is a batch of {cohort}.',
    reaction: 'reject',
  },
  'ROTA-2359': {
    what: 'Delta {delta} is not below 1 divided by the cohort of {cohort} patients.',
    remedy: 'A mechanism that publishes one patient as a whole would keep that promise. Take a delta of at most {advised}.',
    reaction: 'reject',
  },
  'ROTA-2360': {
    what: 'Epsilon {epsilon} at delta {delta} cannot be enforced on chain: it must be at most {most}, and some order must leave room below it.',
    remedy: 'Set a limit between 0.5 and 20 at a delta of 1e-9 or more; see docs/privacy-accounting.md.',
    reaction: 'reject',
  },
} as const satisfies Record<string, ErrorEntry>
