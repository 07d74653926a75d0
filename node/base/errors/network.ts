import type { ErrorEntry } from '../errors.ts'

export const networkErrors = {
  'ROTA-4001': { what: 'these bytes are no valid {what}', remedy: 'Nothing to do here: the sender made it; its name is in the log line.', reaction: 'reject' },
  'ROTA-4002': {
    what: 'a message of {size} bytes is over the limit of {limit}',
    remedy: 'Nothing to do here: the sender made it; its name is in the log line.',
    reaction: 'reject',
  },
  'ROTA-4003': {
    what: 'version {version} is unknown here (known: {known})',
    remedy: 'Upgrade the older of the two nodes; versions N and N-1 work together.',
    reaction: 'reject',
  },
  'ROTA-4004': {
    what: 'cannot listen on {address}',
    remedy: "Another program may use the port, or the address is not this machine's. Change `listen` in the configuration.",
    reaction: 'stop',
  },
  'ROTA-4005': {
    what: 'site {site} cannot be reached',
    remedy: 'Check that the site is up and that its address can be dialled from here (`rota doctor`); the node keeps trying.',
    reaction: 'retry',
  },
  'ROTA-4006': {
    what: 'site {site} made no progress for {seconds} s',
    remedy: 'Nothing to do here: another site is asked, and what has arrived is kept.',
    reaction: 'retry',
  },
  'ROTA-4007': { what: 'site {site} does not speak the protocol {protocol}', remedy: 'Upgrade the older of the two nodes.', reaction: 'retry' },
  'ROTA-4008': {
    what: '{setting} is no valid network setting: {why}',
    remedy: 'Correct it in the configuration; addresses look like /ip4/10.0.0.5/tcp/4001 or /dns4/rota.example.org/tcp/443/wss.',
    reaction: 'stop',
  },
  'ROTA-4010': {
    what: 'nobody who can be reached has object {cid}',
    remedy: 'Wait: it is asked for again. If it goes on, check the connections to the other sites with `rota doctor`.',
    reaction: 'retry',
  },
  'ROTA-4011': {
    what: 'object {cid} is not what the chain names: {why}',
    remedy: 'Nothing to do here: the site that committed to it made it so, and it is left out.',
    reaction: 'reject',
  },
  'ROTA-4012': {
    what: 'bytes given for {cid} have another hash',
    remedy: 'Nothing to do here: they were thrown away; the object is fetched by its CID.',
    reaction: 'reject',
  },
  'ROTA-4013': {
    what: 'cannot write to the object store {dir}',
    remedy: 'Check that the disk has space and that the folder belongs to the account of the node.',
    reaction: 'retry',
  },
  'ROTA-4014': { what: 'an object of {size} bytes is over the limit of {limit}', remedy: 'Use a smaller model, or split it into slices.', reaction: 'reject' },
  'ROTA-4015': {
    what: 'site {site} offered bytes with another hash for {cid}, and nobody else has it',
    remedy: 'Nothing to do here: they were thrown away, and it is asked for again. If it goes on, ask that site to check its disk.',
    reaction: 'retry',
  },
  'ROTA-4016': {
    what: 'slice {slice} of an object was given as {count} encrypted pieces and has {pieces}',
    remedy: 'Nothing to do here: the site that added that slice up named them wrongly, and another is asked.',
    reaction: 'reject',
  },
  'ROTA-4017': {
    what: 'a message that site {site} brought is not signed by whom it names',
    remedy: 'Nothing to do here: it was thrown away, and counts against who brought it. If it goes on, ask that site what its node runs.',
    reaction: 'reject',
  },
} as const satisfies Record<string, ErrorEntry>
