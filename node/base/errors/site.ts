import type { ErrorEntry } from '../errors.ts'

export const siteErrors = {
  'ROTA-1201': {
    what: 'there is no config at {path}',
    remedy: "Give the site's folder with --folder DIR (here: {folder}), or make one with `rota init`.",
    reaction: 'reject',
  },
  'ROTA-1203': {
    what: 'the config of {folder} names no network yet',
    remedy: 'Run `rota join --contracts ADDRESS` with the address that the founders gave you.',
    reaction: 'reject',
  },
  'ROTA-1204': {
    what: 'this site ({account}) is not an active member of the network',
    remedy: 'Run `rota join`; the members then vote with `rota admit`.',
    reaction: 'retry',
  },
  'ROTA-1205': { what: '{kind} {name} is not known here', remedy: 'See `{command}` for what there is.', reaction: 'reject' },
  'ROTA-1206': {
    what: "this node's clock is {offset} s off those of its peers",
    remedy: "Set the machine's clock (NTP), then start again. Deadlines are chain time, but a wrong clock spoils logs and receipts.",
    reaction: 'stop',
  },
  'ROTA-1207': {
    what: 'the protocol of study {study} has not reached this site yet',
    remedy: 'Start the node (`rota run`): it fetches the protocol from the publisher. Then try again.',
    reaction: 'retry',
  },
  'ROTA-1208': { what: 'study {study} cannot start: {reason}', remedy: '{remedy}', reaction: 'reject' },
  'ROTA-1209': { what: '{file} is no site card: {reason}', remedy: 'Give the site.json that `rota init` wrote at that founder.', reaction: 'reject' },
  'ROTA-1210': {
    what: 'the members did not admit {name}',
    remedy: 'Ask them why (`rota network show` lists the votes); then `rota join` asks again.',
    reaction: 'reject',
  },
  'ROTA-1211': { what: 'no embedded chain runs from {folder}', remedy: 'Start it with `rota chain start --folder {folder}`.', reaction: 'reject' },
  'ROTA-1212': { what: '"{row}" is no row of the protocol', remedy: 'Rows are: {rows}.', reaction: 'reject' },
  'ROTA-1213': {
    what: 'there is no model yet: {reason}',
    remedy: '`rota model list` shows what there is; `rota study show STUDY` tells how far its runs are.',
    reaction: 'reject',
  },
  'ROTA-1214': {
    what: 'the model of run {run} ({root}) is not on this disk',
    remedy:
      'Start the node (`rota run`): it fetches what this site is missing from the other members; then try again. A site that is not in the study has no key to its models.',
    reaction: 'retry',
  },
  'ROTA-1215': { what: 'the model of run {run} predicts nothing here: {reason}', remedy: '{remedy}', reaction: 'reject' },
  'ROTA-1216': { what: '{file} has a column {column} already', remedy: 'Name another with --column NAME.', reaction: 'reject' },
  'ROTA-1217': {
    what: '{member} runs golden outputs {theirs}, this build makes {ours}',
    remedy: 'Bring both to the same version of Rota: their attestations would never agree.',
    reaction: 'stop',
  },
  'ROTA-1218': {
    what: '{free} are free on the disk of {dir}',
    remedy: 'Free at least {wanted}: updates, sums and models of every round are kept there.',
    reaction: 'stop',
  },
  'ROTA-1219': {
    what: 'what the network knows of this site differs from its folder: {fields}',
    remedy: "Start from the right folder (a backup's keys may be older); addresses and keys are changed on chain by this site's accounts.",
    reaction: 'stop',
  },
  'ROTA-1220': {
    what: '{file} exists already',
    remedy: 'Name another file with --out, or move this one away: somebody may have written in it.',
    reaction: 'reject',
  },
} as const satisfies Record<string, ErrorEntry>
