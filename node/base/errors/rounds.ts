import type { ErrorEntry } from '../errors.ts'

export const roundErrors = {
  'ROTA-5501': {
    what: 'the protocol of study {study} in the store has digest {found}, the chain says {expected}',
    remedy: 'Do not approve it. Ask the publisher to publish the study again.',
    reaction: 'reject',
  },
  'ROTA-5502': {
    what: 'site {site} approved the study but is not in the registry',
    remedy: 'Look at `rota network show`; the chain endpoint may be behind.',
    reaction: 'retry',
  },
  'ROTA-5503': {
    what: 'the key of epoch {epoch} does not match its commitment on chain',
    remedy: 'Wait: another site draws a new epoch. If it goes on, ask for the publisher of that epoch by `rota audit log`.',
    reaction: 'retry',
  },
  'ROTA-5504': {
    what: 'the frozen set of run {run} round {round} changed on chain after this site acted on it',
    remedy: 'Stop and ask the operators of the chain: it went back over a final block. Start again only when the chain is sound.',
    reaction: 'stop',
  },
  'ROTA-5505': {
    what: 'run {run} round {round}: the base model {root} could not be had yet',
    remedy: 'Wait until a site that holds it is reachable; `rota doctor` tests each.',
    reaction: 'retry',
  },
  'ROTA-5506': {
    what: 'site {site} sent an update that is not well-formed ({why})',
    remedy: 'Nothing to do here: it is left out of the round; ask that site.',
    reaction: 'reject',
  },
  'ROTA-5507': {
    what: 'run {run} round {round}: site {site} published a sum that is not the sum of the frozen set',
    remedy: 'Nothing to do here: it is thrown out and the next place publishes. Ask that site what its node did; `rota audit verify` shows it too.',
    reaction: 'reject',
  },
  'ROTA-5508': {
    what: 'run {run} round {round}: not every update of the frozen set is known here yet',
    remedy: 'Nothing to do: the node looks again.',
    reaction: 'retry',
  },
  'ROTA-5509': {
    what: 'the key of an epoch could not be had in time',
    remedy: 'Nothing to do: the node reports it, and another site draws a new one.',
    reaction: 'retry',
  },
  'ROTA-5510': {
    what: 'run {run} round {round} moved on before this site had contributed',
    remedy: 'Nothing to do: the site takes part in the next round. If it happens often, the study needs a longer limit for contributing.',
    reaction: 'ignore',
  },
  'ROTA-5511': {
    what: 'site {site} opened run {run} of study {study} on a model that is not the one its protocol makes',
    remedy: 'Nothing to do: no honest node plays it. Ask that site, and open another run.',
    reaction: 'reject',
  },
  'ROTA-5513': {
    what: 'the disk is over 80 % full',
    remedy:
      'The site abstains from new rounds until space is free, and leaves large updates to the other custodians; rounds that it is in are finished. Free space, or give `state` a larger disk.',
    reaction: 'retry',
  },
  'ROTA-5514': {
    what: 'a study is to go on from model {root}, and round {round} of run {run} did not leave it',
    remedy: 'Nothing to do: this node does not take part. Ask whoever published the study; `rota model list` shows what runs left.',
    reaction: 'reject',
  },
  'ROTA-5516': {
    what: 'run {run} round {round}: this site showed its shares for one frozen set, and is asked to for another of the same round or model',
    remedy:
      'Together they could show the update of one site, so the node stops. The chain went back over a final block: ask its operators, and start again only when it is sound.',
    reaction: 'stop',
  },
  'ROTA-5517': {
    what: 'run {run}: a sum of masked updates was refused ({refusals} in a row), and it cannot be told whose update spoils it, if it is one',
    remedy:
      'This site waits, and when most do the run pauses. Speak with the other hospitals: who made a mistake, or lies, withdraws its approval or is removed, and the run goes on. Where all are honest the training itself goes wrong: publish a protocol with a lower learning rate, or a higher `validation.tolerance`. To try once more with all: `rota pause` and `rota pause --off`, at more than half of the sites.',
    reaction: 'retry',
  },
  'ROTA-5518': {
    what: 'run {run} round {round}: this site refuses the published sum: {reason}',
    remedy: 'Nothing to do: when most refuse it the base is kept, and the round is repeated in groups where there are enough sites; else the run pauses.',
    reaction: 'reject',
  },
  'ROTA-5519': {
    what: 'run {run} round {round}: the group of {sites} is left out of the model: {reason}',
    remedy: 'One of them at least sent what spoils the model, by mistake or not. Ask them to look at their data; the sums of all other groups were used.',
    reaction: 'reject',
  },
  'ROTA-5512': {
    what: 'the log of run {run} does not lead to its model {root}: {reason}',
    remedy:
      'The node asks again and takes no model over until the log holds. If it goes on, the chain endpoint hides or invents events: name another in rota.yaml.',
    reaction: 'retry',
  },
} as const satisfies Record<string, ErrorEntry>
