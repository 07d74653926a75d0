import { RotaError } from '#base/errors.ts'
import type { RunView } from '#ports/chain.ts'
import { decodeModel } from '#wire/model.ts'
import type { Play } from '../play.ts'
import { type BaseModel, initialModel } from '../study.ts'

/** Models up to this size are decoded once for all sites of a process. */
const SHARED_BYTES = 1024 * 1024

/** Takes over the model that the run stands at: made here, on this disk, or from any site that holds it. Its root is on chain. */
export async function adopt(play: Play, view: RunView, signal: AbortSignal): Promise<void> {
  const { site, study } = play
  const initial = initialModel(study, site)
  if (initial.root === view.model.root) {
    play.base = initial
    return
  }
  const bytes = await fetchModel(play, view, signal)
  const decode = async (): Promise<BaseModel> => ({ root: view.model.root, model: decodeModel(bytes) })
  play.base = bytes.length <= SHARED_BYTES ? await site.memo.once(`model ${view.model.root}`, decode) : await decode()
  await site.journal.append({ kind: 'adopted', run: view.run, round: view.round.round, root: view.model.root, cid: view.model.cid })
  site.tell({ kind: 'adopted', run: view.run, round: view.round.round, modelRoot: view.model.root })
}

/** A model is encrypted under the epoch of the round that made it, which may be older than the current one. */
async function fetchModel(play: Play, view: RunView, signal: AbortSignal): Promise<Uint8Array> {
  const made = await play.site.chain.events(0, { run: view.run, kinds: ['RoundOpened', 'RoundClosed', 'RoundRefused'] })
  const closed = made.findLast((e) => (e.kind === 'RoundClosed' || e.kind === 'RoundRefused') && e.modelRoot === view.model.root)
  const opened = made.find((e) => e.kind === 'RoundOpened' && closed !== undefined && 'round' in closed && e.round === closed.round)
  if (opened?.kind !== 'RoundOpened') throw new RotaError('ROTA-5505', { run: view.run, round: view.round.round, root: view.model.root })
  const key = await play.study.keys.key(opened.epoch, signal)
  return play.site.store.get({ cid: view.model.cid, kind: 'model', root: view.model.root }, key, signal)
}
