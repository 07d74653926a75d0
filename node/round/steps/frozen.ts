import type { JournalEntry } from '#ports/journal.ts'
import type { Play, Round } from '../play.ts'

/** Journals the set that this site is about to act on, once: the node halts if the chain ever shows another. */
export async function noteFrozen(play: Play, round: Round): Promise<void> {
  await play.site.journal.append(...frozenNews(play, round))
}

/** For the journal, where it is not there yet. */
export function frozenNews({ site }: Play, { run, round, view }: Round): JournalEntry[] {
  const { included } = view.round
  const known = site.journal.entries().findLast((e) => e.kind === 'frozen' && e.run === run && e.round === round)
  return known?.kind === 'frozen' && known.included === included ? [] : [{ kind: 'frozen', run, round, included }]
}
