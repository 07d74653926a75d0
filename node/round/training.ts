import type { Digest } from '#base/ids.ts'
import type { SplitTable } from '#core/model/table.ts'
import type { LocalUpdate } from '#core/ring/vectors.ts'
import type { RunView } from '#ports/chain.ts'
import type { Apart } from '#ports/host.ts'
import { isSmall } from './custody.ts'
import type { Play, Round } from './play.ts'

/**
 * What this site trains, from one model on one cohort. It outlives the round that it was begun in: where that round comes to nothing the next
 * starts from the same model, and nobody begins anew; a site that needs longer than the others wait would never be done. With the model it ends.
 */
export interface Training {
  readonly base: Digest
  readonly table: SplitTable
  readonly done: Promise<Trained>
  readonly isEnded: () => boolean
  /** Resolves when nothing of it runs any more. */
  end(): Promise<void>
}

export interface Trained {
  readonly update: LocalUpdate
  /** By the site's own clock, waits for its turn included; 0 of what was contributed before. */
  readonly ms: number
}

/** The platform would make an error with its stack each time. */
const USELESS = new Error('nobody can use it any more')

/** What is trained for this model and this very cohort, in this round or since an earlier one. */
export async function trainingFor(play: Play, round: Round, table: SplitTable, signal: AbortSignal): Promise<Training> {
  const { training } = play
  if (training !== null && !training.isEnded() && training.base === round.base.root && training.table === table) return training
  await endTraining(play)
  const fresh = begin(play, round, table, signal)
  play.training = fresh
  return fresh
}

const atOnce: Apart = (work) => work()

function begin(play: Play, { base }: Round, table: SplitTable, signal: AbortSignal): Training {
  const { trainer, host, training = atOnce } = play.site
  const { random } = host
  const ended = new AbortController()
  const until = AbortSignal.any([signal, ended.signal])
  const startedMs = host.clock.nowMs()
  const tools = trainer === null ? { signal: until, random } : { signal: until, random, train: trainer.train }
  const done = training(() => play.study.learner.contribute(base.model, table, tools)).then((update) => ({ update, ms: host.clock.nowMs() - startedMs }))
  const settled = done.then(
    () => undefined,
    () => {
      // What failed is tried again by whoever asks next.
      if (play.training === fresh) play.training = null
    },
  )
  const fresh: Training = {
    base: base.root,
    table,
    done,
    isEnded: () => ended.signal.aborted,
    end() {
      ended.abort(USELESS)
      return settled
    },
  }
  return fresh
}

/**
 * What came out, to be used up. Of a small one a copy: the same model trained again on the same rows would give the same, so a round that follows
 * on one that was void takes it, with a salt and rounding of its own. Of a large one each copy would be 40 MB.
 */
export function useUp(play: Play, { layout }: Round, training: Training, { update, ms }: Trained): Trained {
  const isKept = isSmall(layout)
  play.training = isKept ? { ...training, done: Promise.resolve({ update, ms: 0 }) } : null
  return { update: isKept && update.kind === 'neural' ? { ...update, delta: update.delta.slice() } : update, ms }
}

/** Ends what is trained, if anything. */
export async function endTraining(play: Play): Promise<void> {
  const { training } = play
  await training?.end()
  if (play.training === training) play.training = null
}

/** Ends a training of which nothing can come: another model stands, or this site takes no part in the run any more. */
export function endUseless(play: Play, view: RunView, approved: boolean): void {
  const stands = approved && (view.state === 'Active' || view.state === 'Paused') && view.model.root === play.training?.base
  if (!stands) void endTraining(play)
}
