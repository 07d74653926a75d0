import { EMPTY } from '#base/bitmap.ts'
import type { RoundView, RunView } from '#ports/chain.ts'
import { without } from './bits.ts'
import type { Round, Run } from './round.ts'

/** A run as nodes read it, made once for each state and handed to all. */
export function viewOf(run: Run): RunView {
  const known = views.get(run)
  if (known !== undefined) return known
  const { id, study, state, model, closedRounds, voidsInARow, ready } = run
  const view = Object.freeze({ run: id, study, state, round: roundView(run.round), model, closedRounds, voidsInARow, ready })
  views.set(run, view)
  return view
}

const views = new WeakMap<Run, RunView>()

const roundView = (r: Round): RoundView =>
  Object.freeze({
    round: r.round,
    phase: r.phase,
    attempt: r.attempt,
    rota: r.rota,
    turn: r.turn,
    openedAtBlock: r.openedAtBlock,
    epoch: r.epoch,
    since: r.since,
    extended: r.asker !== null,
    awaited: without(r.awaited, r.abstained),
    keyed: r.keyed,
    justifying: r.justifying,
    justified: r.justified,
    threshold: r.threshold,
    contributed: r.contributed,
    abstained: r.abstained,
    custodianPlaces: r.slices.map((slice) => slice.places),
    witnessed: r.slices.map((slice) => slice.witnessed),
    included: r.included,
    firstPlace: r.firstPlace,
    publications: r.publications,
    publication: r.phase === 'Attesting' ? r.publication : null,
    attested: r.phase === 'Attesting' ? r.attested : EMPTY,
  })
