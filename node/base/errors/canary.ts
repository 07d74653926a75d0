import type { ErrorEntry } from '../errors.ts'

export const canaryErrors = {
  'ROTA-1401': {
    what: 'a run of study {study} could not finish as things are: {shortfalls} (canary of {when})',
    remedy:
      'Where limits are short, `rota canary {study} --out FILE.yaml` writes the protocol with limits that hold; publish that one. If something has changed since, run the canary again; to start all the same: `rota study start {study} --despite-canary`.',
    reaction: 'reject',
  },
  'ROTA-1402': {
    what: '{sites} never answered the canary, within {seconds} s',
    remedy:
      'See that the node runs there and can be reached from here (`rota doctor`), then run the canary again. Nothing is lost: the others were measured and are kept.',
    reaction: 'retry',
  },
  'ROTA-1403': {
    what: 'the running node of {folder} did not take the canary: {reason}',
    remedy: 'Start the node again (`rota run`) with this version of Rota, or stop it: without a running node the canary reaches the members by itself.',
    reaction: 'retry',
  },
  'ROTA-1404': {
    what: 'this site has no part in study {study}: its steward has not approved it',
    remedy: 'Approve it first (`rota study approve {study}`): a canary trains on the rows that the study may touch.',
    reaction: 'reject',
  },
  'ROTA-1405': {
    what: 'the sum of made-up updates is known, and {sites} came to another in the canary of study {study}',
    remedy:
      'No run was touched. A build of other arithmetic, broken memory or disk, or a changed programme does this: compare versions (`rota doctor`), and settle it with that hospital before a run is started.',
    reaction: 'reject',
  },
  'ROTA-1406': {
    what: 'takes part in no canary just now: a run or another canary keeps it busy, it was asked too often within ten minutes, or the canary was ended',
    remedy: 'Wait until the run or the other canary is over, ten minutes at most after many of them, and ask again.',
    reaction: 'retry',
  },
  'ROTA-1407': {
    what: 'the canary of study {study} could not play its round to the end: {why}',
    remedy: 'What was measured is kept. Look up what keeps each of these hospitals (docs/errors.md), put it right, and run the canary again.',
    reaction: 'retry',
  },
} as const satisfies Record<string, ErrorEntry>
