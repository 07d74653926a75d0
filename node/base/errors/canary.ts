import type { ErrorEntry } from '../errors.ts'

export const canaryErrors = {
  'ROTA-1401': {
    what: 'study {study} could not finish with its limits: {shortfalls} (canary of {when})',
    remedy:
      '`rota canary {study} --out FILE.yaml` writes the protocol with limits that hold; publish that one. If something has changed since, run the canary again; to start all the same: `rota study start {study} --despite-canary`.',
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
} as const satisfies Record<string, ErrorEntry>
