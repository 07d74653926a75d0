import type { ErrorEntry } from '../errors.ts'

/** 2321 to 2340: masked rounds. What fails leaves one site out, or one round void; the other sites carry on. */
export const maskingErrors = {
  'ROTA-2321': {
    what: 'The shares of site {site} fail: {reason}.',
    remedy:
      'Nothing for the round: the site is not masked with, or its shares are left out. If it happens again, ask its operator whether it runs the released version.',
    reaction: 'reject',
  },
  'ROTA-2322': {
    what: 'Shares of site {site} came after the sum of round {round} was unmasked.',
    remedy: 'Nothing to do: the sum was complete without them. If it happens often, look at the connection of that site.',
    reaction: 'ignore',
  },
  'ROTA-2323': {
    what: 'The {what} of site {site} belongs to another round, base model or member set.',
    remedy: 'It is left out. If a site does this again and again, compare its chain and its version with yours.',
    reaction: 'reject',
  },
  'ROTA-2324': {
    what: 'Site {site} offers a masking key that was used before.',
    remedy: 'The site is left out of this round. Its operator must look at its random numbers, or at a disk restored from a copy.',
    reaction: 'reject',
  },
  'ROTA-2325': {
    what: 'Site {site} offers an X25519 key of small order.',
    remedy: 'The site is left out of this round: no released version makes such a key. Speak with its operator.',
    reaction: 'reject',
  },
  'ROTA-2326': {
    what: 'Site {site} sends a malformed ML-KEM-768 {what}.',
    remedy: 'The site is left out of this round. Ask its operator whether it runs the released version.',
    reaction: 'reject',
  },
  'ROTA-2327': {
    what: 'Only {left} of the {members} sites of this masked round are left; {threshold} are needed to unmask the sum.',
    remedy: 'Nothing was shown and the round is void; the next one begins by itself. Find out why sites dropped out.',
    reaction: 'retry',
  },
  'ROTA-2328': {
    what: 'Site {site} shares masks with {neighbours} sites of this round; it needs {threshold}.',
    remedy: 'The site sits this round out. Look at its connection: it did not get the shares of the others in time, or they not its own.',
    reaction: 'retry',
  },
  'ROTA-2329': {
    what: 'The mask of site {site} cannot be removed yet: {good} good shares of the {threshold} that are needed (wrong: {wrong}).',
    remedy: 'It goes on when more sites answer. Sites named as wrong sent shares other than those that they were given.',
    reaction: 'retry',
  },
  'ROTA-2330': {
    what: 'This round repeats a refused one, and site {site} has no place in it: it was not in the other, or too few keyed with it for a group of four.',
    remedy: 'The site sits this round out, and is in the next again. If it goes on, find out why others drop out.',
    reaction: 'retry',
  },
  'ROTA-2331': {
    what: 'Run {run} waits for site {missing}: it was in a round whose sum was refused, and no sum over the others of that round is shown without it.',
    remedy:
      'The difference of the two sums would be its update. Get its node back: the round is repeated by itself, after three void rounds once more than half of the sites are ready. If it does not come back, and its hospital agrees that the members may learn what it sent in that round, its steward takes it out of the study (`rota study withdraw`), and the others go on; else leave the run as it is and start another from a new model.',
    reaction: 'retry',
  },
  'ROTA-2332': {
    what: 'This {learner} study cannot be in groups: {reason}.',
    remedy: 'Groups are for models that are averaged (algorithm: fedavg), without a privacy section or start. Write mode: masked for all others.',
    reaction: 'reject',
  },
  'ROTA-2333': {
    what: 'Site {site} has no place in this round: too few sites keyed for three groups of four, or too few of its own group with it.',
    remedy: 'The site sits this round out, and is in the next again. If it goes on, find out why others drop out.',
    reaction: 'retry',
  },
  'ROTA-2334': {
    what: 'What site {site} dealt is not what it promised: nobody can take its masks off. It is left out of run {run} from now on.',
    remedy:
      'The round is repeated by all others; where these are fewer than `quorum` the run pauses, and the members begin another without it. Its operator looks for a fault of memory or disk, and whether it runs the released version: that one cannot do this.',
    reaction: 'reject',
  },
  'ROTA-2335': {
    what: 'Run {run} pauses: the sum of round {round} is published, and too few sites showed the shares that take its masks off. Nothing was heard of site {missing}.',
    remedy:
      'Get their nodes back: the same set is published again by itself, at first at once, after more pauses some time later. Whoever is there and shows no shares, pause after pause, lies or has lost its secrets of the round. Where too few others are left for good the members begin another run.',
    reaction: 'retry',
  },
  'ROTA-2336': {
    what: 'Site {site} has no place in this round: sites {lacking} keyed and do not hold its deal, and it did not show their shares to all, of {most} at most.',
    remedy:
      'The site sits this round out, and is in the next again. Look at its connections: its deal did not reach these sites in time, or its call came too late.',
    reaction: 'retry',
  },
} as const satisfies Record<string, ErrorEntry>
