import { heldModel } from '#app/model/model-shelf.ts'
import type { AtSite } from '#app/site/at-site.ts'
import { RotaError } from '#base/errors.ts'
import { type RunId, runId } from '#base/ids.ts'
import type { Model } from '#core/model/model.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import type { RunView } from '#ports/chain.ts'

/** A run's newest model with the protocol that it was made under. */
export interface ChosenModel {
  readonly run: RunId
  readonly view: RunView
  readonly protocol: Protocol
  readonly model: Model
}

/**
 * @param text the run as a person types it; undefined: the newest finished one that this site takes part in, else the newest with a model
 * @throws ROTA-1205 no such run, ROTA-1213 no model yet, ROTA-1214 not on this disk, ROTA-1207 no protocol here
 */
export async function chooseModel(site: AtSite, text: string | undefined, signal: AbortSignal): Promise<ChosenModel> {
  const view = text === undefined ? await newestRun(site) : await site.chain.run(runNumber(text))
  if (view.closedRounds === 0) throw new RotaError('ROTA-1213', { reason: `run ${view.run} has no closed round` })
  const protocol = await site.shelf.protocol(view.study, signal).catch((error) => notHere(error, view))
  const model = await heldModel(site.shelf, view.run, view.model.root, signal)
  if (model === null) throw new RotaError('ROTA-1214', { run: view.run, root: view.model.root })
  return { run: view.run, view, protocol, model }
}

/** A finished run before one that was halted or is under way: a run halts because patients withdrew, and its model still has them. */
async function newestRun({ chain, own }: AtSite): Promise<RunView> {
  let open: RunView | null = null
  for (const { run } of [...(await chain.runs())].reverse()) {
    const view = await chain.run(run)
    if (view.closedRounds === 0 || !view.round.rota.includes(own.id)) continue
    if (view.state === 'Finished') return view
    open ??= view
  }
  if (open === null) throw new RotaError('ROTA-1213', { reason: 'no run of this site has a closed round' })
  return open
}

/** @throws ROTA-1205 */
export function runNumber(text: string): RunId {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new RotaError('ROTA-1205', { kind: 'run', name: text, command: 'rota model list' })
  return runId(Number(text))
}

function notHere(error: unknown, { study }: RunView): never {
  if (error instanceof RotaError && error.code.startsWith('ROTA-40')) throw new RotaError('ROTA-1207', { study }, error)
  throw error
}
