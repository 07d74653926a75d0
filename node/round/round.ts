import { RotaError } from '#base/errors.ts'
import { holdBack } from './held-back.ts'
import { advertise } from './masking/advertise.ts'
import { prepare } from './masking/ahead.ts'
import { deal } from './masking/deal.ts'
import { justify } from './masking/justify.ts'
import { key, keyAgain } from './masking/key.ts'
import { release } from './masking/release.ts'
import { sitOut } from './masking/sit-out.ts'
import { type RowName, type Situation, slicesToWitness } from './next.ts'
import type { Play, Round } from './play.ts'
import { adopt } from './steps/adopt.ts'
import { attest } from './steps/attest.ts'
import { charge } from './steps/charge.ts'
import { dispute } from './steps/contest.ts'
import { abstain, abstainAgain, contribute, contributeAgain } from './steps/contribute.ts'
import { publish } from './steps/publish.ts'
import { tellSlices } from './steps/tell-slices.ts'
import { wish } from './steps/wish.ts'
import { witness } from './steps/witness.ts'

/**
 * A round, in reading order; `next.ts` says when each happens, the chain says whose turn it is.
 *
 *   adopt        take over the model that the last round left
 *   advertise    (masked) draw the round's secrets, tell their public keys
 *   deal         (masked) the secrets in shares, a parcel for each member
 *   key          (masked) say on chain whose shares are here: who masks with whom follows from that
 *   charge       (with differential privacy) the round's noise is charged to the site's dataset, before it trains
 *   contribute   consented cohort → contribute → bound → fixed point → (mask) → encrypt, put → journal → root on chain, announce
 *   witness      (custodians) say which updates are held whole; the chain freezes who is in
 *   tell-slices  (custodians of a large model) add up their slices, keep them, say what they are
 *   publish      (the leader, else a standby) put the frozen set's sum together, its root on chain
 *   prepare      (masked) offer and deal for the next round, while this one goes on: then it opens with nothing but `key` to do
 *   release      (masked) show the shares that take the masks off this sum, and off no other
 *   attest       check the sum, (take the masks off,) take the learner's step, say which model came out; more than half of the set close the round
 *   dispute      (masked) show the contract one leaf of a sum that is wrong: it is thrown out, whatever others say
 *
 * and the next in turn leads. Whoever dies is replaced, whoever is silent only shrinks the set, and any of it can be done again.
 */
export async function doRow(row: RowName, play: Play, round: Round, situation: Situation, signal: AbortSignal): Promise<void> {
  const { chain } = play.site
  const { run } = round
  switch (row) {
    case 'adopt':
      return adopt(play, round.view, signal)
    case 'advertise':
      return advertise(play, round)
    case 'deal':
      return deal(play, round, signal)
    case 'key':
      return key(play, round)
    case 'key-again':
      return keyAgain(play, round)
    case 'justify':
      return justify(play, round, signal)
    case 'hold-back':
      return holdBack(play, round)
    case 'sit-out':
      return sitOut(play, round)
    case 'prepare':
      return prepare(play, round, signal)
    case 'release':
      return release(play, round)
    case 'charge':
      return charge(play, round)
    case 'contribute':
      return contribute(play, round, signal)
    case 'contribute-again':
      return contributeAgain(play, round)
    case 'abstain-again':
      return abstainAgain(play, round)
    case 'rest':
      return abstain(play, round, 'maintenance', 'maintenance was announced with `rota pause`')
    case 'witness':
      return witness(play, round, slicesToWitness(situation))
    case 'tell-slices':
      return tellSlices(play, round, signal)
    case 'publish':
      return publish(play, round, signal)
    case 'attest':
      return attest(play, round, signal)
    case 'dispute':
      return dispute(play, round.view, signal)
    case 'tick':
      return chain.tick(run)
    case 'ready':
      return chain.ready(run)
    case 'wish':
      return wish(play, round)
    case 'halt-run':
      return chain.halt(run, 'cohortChanged')
    case 'halt-node':
      throw new RotaError(situation.masking?.releasedOther === true ? 'ROTA-5516' : 'ROTA-5504', { run, round: round.round })
    case 'wait':
      return
  }
}
