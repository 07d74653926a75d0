import type { ErrorEntry } from '../errors.ts'

/** 21xx vectors and arithmetic, 22xx what a fit found, 23xx a protocol's numbers. */
export const numberErrors = {
  'ROTA-2101': {
    what: 'The update is not a number at {coordinate} (NaN or infinite).',
    remedy: 'Nothing was sent. Check the cohort for absurd values; for a neural study lower its learning rate.',
    reaction: 'stop',
  },
  'ROTA-2102': {
    what: 'The update is out of its range at {coordinate}: {value} where at most {bound} is allowed.',
    remedy: 'Nothing was sent. Check the protocol: valid ranges, maxRows, learning rate.',
    reaction: 'stop',
  },
  'ROTA-2103': {
    what: 'A vector is not well-formed: {reason}.',
    remedy: 'The sender is at fault; the vector is left out. Nothing to do at this site.',
    reaction: 'reject',
  },
  'ROTA-2104': {
    what: 'The sum of stage {stage} could overflow its {wordBits}-bit words at {coordinate}: it needs {needed} bits.',
    remedy: 'Lower arithmetic.fractionBits (neural: learner.fractionBits or normBound), cohort.maxRows or maxSites in the protocol.',
    reaction: 'reject',
  },
  'ROTA-2105': {
    what: 'Column {column} holds a value that is missing or out of its valid range [{low}, {high}].',
    remedy: "Correct the site's data or mapping, or widen the range in a new protocol. The row itself is never shown.",
    reaction: 'stop',
  },
  'ROTA-2106': {
    what: 'The cohort has {rows} {set} rows; the protocol allows at most {maxRows} at one site.',
    remedy: 'Use fewer rows, or publish a protocol with a higher cohort.maxRows.',
    reaction: 'stop',
  },
  'ROTA-2107': {
    what: 'This study trains a neural network and the node has no training backend.',
    remedy: 'Run `rota backend test` and see which backends work here.',
    reaction: 'stop',
  },
  'ROTA-2108': {
    what: 'The training backend returned {length} weights where the model has {expected}.',
    remedy: 'Nothing was sent. Run `rota backend test`; use another backend.',
    reaction: 'stop',
  },
  'ROTA-2109': {
    what: 'Leaf {leaf} does not exist in a tree of {leaves} leaves.',
    remedy: 'Ask for a leaf from 0 to the last.',
    reaction: 'reject',
  },
  'ROTA-2110': {
    what: 'The cohort has columns {columns}; the protocol names {expected}.',
    remedy: "Correct the site's mapping so that it gives the protocol's features in their order.",
    reaction: 'stop',
  },
  'ROTA-2111': {
    what: "The model's stage {stage} is none of learner {learner}.",
    remedy: 'The model belongs to another study or version; name the right one.',
    reaction: 'reject',
  },
  'ROTA-2201': {
    what: 'Columns {columns} are collinear: one follows from the others, so their coefficients are not defined.',
    remedy: 'Leave one of them out (for a set of flags: the reference category), or set l2 above 0.',
    reaction: 'stop',
  },
  'ROTA-2202': {
    what: 'Columns {columns} separate the outcomes: the likelihood grows without end and their coefficients are not defined.',
    remedy: 'Leave them out, merge rare categories, or set l2 above 0.',
    reaction: 'stop',
  },
  'ROTA-2203': {
    what: 'Label {columns} has one value only in all the rows that count.',
    remedy: 'A model needs both outcomes: widen the cohort, or look at the label in the mapping.',
    reaction: 'stop',
  },
  'ROTA-2204': {
    what: 'The fit did not settle within its iterations; the columns that still moved: {columns}.',
    remedy: 'Raise learner.maxIterations, or look for columns that hardly vary.',
    reaction: 'stop',
  },
  'ROTA-2205': {
    what: 'Columns {columns} do not vary (or far less than their valid range is wide).',
    remedy: 'Leave them out, narrow their range in the protocol, or set l2 above 0.',
    reaction: 'stop',
  },
  'ROTA-2206': {
    what: 'There are too few rows for the columns {columns}.',
    remedy: 'Use more rows or fewer columns.',
    reaction: 'stop',
  },
  'ROTA-2301': {
    what: 'Column {column} is the label and a feature at once.',
    remedy: 'Take it out of the features: a model that reads its own answer learns nothing.',
    reaction: 'reject',
  },
  'ROTA-2302': {
    what: 'The valid range of {column} is [{low}, {high}]: it needs two finite numbers, the lower one first.',
    remedy: 'Correct the range in the protocol.',
    reaction: 'reject',
  },
  'ROTA-2303': {
    what: 'Feature {column} is listed twice.',
    remedy: 'Take one of them out of the protocol.',
    reaction: 'reject',
  },
  'ROTA-2304': {
    what: '{parameter} is {value}; it must be {expected}.',
    remedy: 'Correct it in the protocol.',
    reaction: 'reject',
  },
  'ROTA-2305': {
    what: 'A {learner} study cannot have a label of kind {kind} (label {column}).',
    remedy: 'logistic needs a binary label, poisson a count, linear a number (or count); see `rota study draft --help`.',
    reaction: 'reject',
  },
} as const satisfies Record<string, ErrorEntry>
