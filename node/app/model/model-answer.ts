import { modeLabel } from '#app/results/privacy-statement.ts'
import { privacyOf } from '#app/results/results.ts'
import type { ShownModel } from './model-show.ts'

/** What `rota model show --json` prints; the names are those of `rota simulate --json`, null where a value is not defined. */
export function modelAnswer({ site, chosen, view, ownProblem }: ShownModel) {
  const { learner } = view.protocol
  const { kind: _kind, test: _test, train: _train, problem, ...results } = view.results
  return {
    run: chosen.run,
    study: chosen.view.study,
    state: chosen.view.state,
    modelRoot: chosen.view.model.root,
    protocolDigest: view.protocolDigest,
    title: view.title,
    ...results,
    learner: learner.kind,
    algorithm: 'algorithm' in learner ? learner.algorithm : null,
    problem,
    mode: view.protocol.mode,
    modeLabel: modeLabel(view.protocol.mode),
    privacy: privacyOf(view),
    rounds: chosen.view.closedRounds,
    test: view.test,
    site,
    alone: view.alone,
    siteIntercepts: view.siteIntercepts,
    ownProblem,
    digests: view.rounds.map(({ modelRoot }) => modelRoot),
  }
}
