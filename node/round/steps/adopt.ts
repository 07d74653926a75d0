import { sitesOf } from '#base/bitmap.ts'
import { RotaError } from '#base/errors.ts'
import type { Digest } from '#base/ids.ts'
import type { RunView } from '#ports/chain.ts'
import { decodeModel } from '#wire/model.ts'
import { watchLineage } from '../lineage.ts'
import { keepLatest } from '../memo.ts'
import { fromOwnTurn } from '../own-turn.ts'
import type { Play } from '../play.ts'
import { type BaseModel, initialModel } from '../study.ts'

/** Models up to this size are remembered. */
const SMALL_BYTES = 1024 * 1024

/** Takes over the model that the run stands at: made here, on this disk, or from any site that holds it. Its root is on chain. */
export async function adopt(play: Play, view: RunView, signal: AbortSignal): Promise<void> {
  const { site, study } = play
  const initial = initialModel(study, site)
  if (initial.root === view.model.root) {
    play.base = initial
    return
  }
  const bytes = await fetchModel(play, view, initial.root, signal)
  const key = `model ${view.model.root}`
  play.base = await site.memo.once<BaseModel>(key, async () => ({ root: view.model.root, model: decodeModel(bytes) }))
  if (bytes.length > SMALL_BYTES) keepLatest(site.memo, key)
  await site.journal.append({ kind: 'adopted', run: view.run, round: view.round.round, root: view.model.root, cid: view.model.cid })
  site.tell({ kind: 'adopted', run: view.run, round: view.round.round, modelRoot: view.model.root })
}

/**
 * From the log alone: which model it is, and that the run came to it in the way that contracts allow. A model is encrypted under the
 * epoch of the round that made it, which may be older than the current one.
 */
async function fetchModel(play: Play, view: RunView, initial: Digest, signal: AbortSignal): Promise<Uint8Array> {
  const { root, cid } = view.model
  play.lineage ??= watchLineage(play.site.chain, view.run, initial)
  const { models, fault, holders } = await play.lineage()
  const found = models.findLast((model) => model.root === root && model.cid === cid)
  // The log may not show it yet, or not have shown all: then it is followed from the beginning.
  if (found === undefined) play.lineage = null
  if (found === undefined && fault !== null) throw new RotaError('ROTA-5512', { run: view.run, root, reason: fault })
  if (found === undefined) throw new RotaError('ROTA-5505', { run: view.run, round: view.round.round, root })
  const key = await play.study.keys.key(found.epoch, signal)
  const providers = found === models.at(-1) ? fromOwnTurn(sitesOf(holders), play.site.id) : []
  return play.site.store.get({ cid, kind: 'model', root }, key, signal, providers)
}
