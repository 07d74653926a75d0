import type { ErrorEntry } from '../errors.ts'

/** What a portal or relay answers to patients' pages, and what keeps it from starting. Pages say the first ones in the reader's language. */
export const portalErrors = {
  'ROTA-6501': {
    what: 'this is no {what} as a portal takes it',
    remedy: "Use the page of the card's link, or the format of docs/withdraw.md.",
    reaction: 'reject',
  },
  'ROTA-6502': {
    what: 'the signature is not that of this consent',
    remedy: 'It was altered, or made for another programme or network: sign again with the card.',
    reaction: 'reject',
  },
  'ROTA-6503': {
    what: "the request was signed at {at}, and it is {now} by this portal's clock",
    remedy: 'A request is good for 5 minutes: sign it anew. /api/place tells the time.',
    reaction: 'retry',
  },
  'ROTA-6504': {
    what: 'the network has no consent programme {programme}',
    remedy: 'Nothing was kept. Compare the card with the network that this portal belongs to.',
    reaction: 'reject',
  },
  'ROTA-6505': {
    what: 'too many requests from one address',
    remedy: 'Wait a minute and try again, or use another portal of the card.',
    reaction: 'retry',
  },
  'ROTA-6506': {
    what: 'the request is longer than {bytes} bytes',
    remedy: 'Nothing that a portal takes is as long.',
    reaction: 'reject',
  },
  'ROTA-6507': {
    what: 'this relay belongs to no hospital',
    remedy: 'Ask the hospital that gave the card: the card names its portal.',
    reaction: 'reject',
  },
  'ROTA-6508': {
    what: 'this hospital gave no such consent',
    remedy: 'Ask the hospital that gave the card.',
    reaction: 'reject',
  },
  'ROTA-6509': {
    what: 'this consent cannot be given again with this card',
    remedy: 'A consent that stands needs nothing; one that was withdrawn at the desk is given again there; who has given it again already has a newer card.',
    reaction: 'reject',
  },
  'ROTA-6510': {
    what: 'this relay keeps {count} withdrawals already and takes no more',
    remedy: 'Use another portal of the card. Whoever runs this one: the chain may be out of reach.',
    reaction: 'retry',
  },
  'ROTA-6511': {
    what: 'there is nothing at {path}',
    remedy: 'The page is at /; docs/portals.md lists what a portal answers.',
    reaction: 'reject',
  },
  'ROTA-6512': {
    what: 'cannot listen on {listen} ({reason})',
    remedy: 'Another program may use the port, or the address is not of this machine: change --listen.',
    reaction: 'stop',
  },
  'ROTA-6513': {
    what: 'the pages are not bundled ({folder})',
    remedy: 'Run `npm run compile` once; releases come with them.',
    reaction: 'stop',
  },
  'ROTA-6514': {
    what: 'the file of waiting withdrawals {file} cannot be read at line {line}',
    remedy: 'Restore it, or move it away if every withdrawal in it is on chain; until then the relay takes none, so that none is forgotten.',
    reaction: 'stop',
  },
  'ROTA-6515': {
    what: '{listen} is no address to listen on',
    remedy: 'Write HOST:PORT, such as 127.0.0.1:8081, or a port alone for this machine; port 0 takes any free one.',
    reaction: 'reject',
  },
  'ROTA-6516': {
    what: 'the chain does not answer this portal',
    remedy: 'Try again in a minute, or use another portal of the card. A withdrawal that was taken stays on disk and goes on chain once it answers.',
    reaction: 'retry',
  },
  'ROTA-6517': {
    what: 'this portal cannot do that at the moment',
    remedy: 'Use another portal of the card. Whoever runs this one: its log names what is wrong.',
    reaction: 'retry',
  },
  'ROTA-6518': {
    what: 'another portal or relay (process {pid}) serves from {dir}',
    remedy:
      'That one can be used; `rota run` serves the portal by itself where rota.yaml has `portal`. To move it, stop that process first: two would send the same withdrawals. Another relay takes a --folder of its own.',
    reaction: 'stop',
  },
  'ROTA-6519': {
    what: 'the page showed version {shown} of the terms of {programme}; the newest is {newest}',
    remedy: 'Open the page again with the card, and read them: nobody agrees to what they were not shown.',
    reaction: 'reject',
  },
} as const satisfies Record<string, ErrorEntry>
