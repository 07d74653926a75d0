import type { Play, Round } from '../play.ts'

/** Journals the set that this site is about to act on, once: the node halts if the chain ever shows another. */
export async function noteFrozen(play: Play, { run, round, view }: Round): Promise<void> {
  const { journal } = play.site
  const { included } = view.round
  const known = journal.entries().findLast((e) => e.kind === 'frozen' && e.run === run && e.round === round)
  if (known?.kind === 'frozen' && known.included === included) return
  await journal.append({ kind: 'frozen', run, round, included })
}
