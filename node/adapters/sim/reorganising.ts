import { sitesOf } from '#base/bitmap.ts'
import type { JournalEntry } from '#ports/journal.ts'
import type { SimEvent } from './chain/ledger.ts'
import type { Acts, Hand } from './hand.ts'
import type { SimSite } from './site.ts'

/** Undone, these would change who is a member or has a key: a chain that goes so far back is no chain. */
const SETTLED: readonly string[] = ['EpochPublished', 'StudyApproved', 'StudyWithdrawn', 'SiteChanged'] satisfies SimEvent['kind'][]

/** A chain that goes back: as far as it may, or behind what was said to be final. */
export const reorganisations = (hand: Hand): Acts<'reorganisation' | 'deep-reorganisation'> => ({
  reorganisation: ({ blocks, returned }) => goBack(hand, blocks, returned),
  'deep-reorganisation': ({ returned, goneMs }) => loseFrozenSet(hand, returned, goneMs),
})

/** Never behind the run's opening, nor behind a frozen set that a site has acted on, or is about to: that a node would rightly halt for. */
function goBack(hand: Hand, blocks: number, returned: number): void {
  const { chain, sites } = hand.world
  const acted = new Set(sites.flatMap(noted).flatMap((entry) => (entry.kind === 'frozen' ? [`${entry.run}/${entry.round}`] : [])))
  const head = chain.head().number
  const to = Math.max(
    head - blocks,
    settledBlock(chain.ledger.eventsFrom(0) as readonly SimEvent[], (e) =>
      e.kind === 'RoundOpened' ? e.round === 1 : e.kind === 'Frozen' && acted.has(`${e.run}/${e.round}`),
    ),
  )
  if (to >= head) hand.spare('a reorganisation: what it would undo is settled')
  else {
    chain.rewind(to, () => hand.random.chance(returned))
    hand.note(null, `the chain goes back from block ${head} to ${to}`)
  }
}

const noted = ({ journal, life }: SimSite): readonly JournalEntry[] => (life?.alive ? [...journal, ...life.writing] : journal)

/** Back to before the contribution of a site of the present frozen set, which then is gone for a while: the next set is another, unless it comes back in time. */
function loseFrozenSet(hand: Hand, returned: number, goneMs: number): void {
  const { chain } = hand.world
  const events = chain.ledger.eventsFrom(0) as readonly SimEvent[]
  const run = chain.contracts.coordinator.runs.at(-1)
  const frozen = events.findLast((e) => e.kind === 'Frozen' && e.round === run?.round.round)
  if (frozen?.kind !== 'Frozen' || run?.state !== 'Active') hand.spare('a deep reorganisation: no set is frozen')
  else {
    const gone = hand.world.site(hand.random.pick(sitesOf(frozen.included)))
    const sent = events.findLast((e) => e.kind === 'Contributed' && e.round === frozen.round && e.site === gone.id)
    const settled = settledBlock(events, (e) => e.kind === 'RoundOpened' && e.round === frozen.round)
    loseSet(hand, { gone, goneMs, returned, place: `${frozen.run}/${frozen.round}`, frozenAt: frozen.block, to: Math.max((sent ?? frozen).block - 1, settled) })
  }
}

interface Loss {
  readonly gone: SimSite
  readonly goneMs: number
  readonly returned: number
  /** Run and round. */
  readonly place: string
  readonly frozenAt: number
  readonly to: number
}

function loseSet(hand: Hand, { gone, goneMs, returned, place, frozenAt, to }: Loss): void {
  const { world, powers, random } = hand
  if (to >= frozenAt || !gone.alive || !world.casualties.mayFall([gone.id])) {
    hand.spare('a deep reorganisation')
    return
  }
  world.lostSets.add(place)
  for (const code of ['ROTA-5504', 'ROTA-5516']) world.expectStop(null, code)
  powers.kill(gone, 'killed, as the chain goes back behind its update', goneMs)
  hand.note(null, `the chain goes back from block ${world.chain.head().number} to ${to}, behind the frozen set of round ${place.split('/')[1]}`)
  world.chain.rewind(to, () => random.chance(returned))
}

const settledBlock = (events: readonly SimEvent[], also: (event: SimEvent) => boolean): number =>
  events.findLast((event) => SETTLED.includes(event.kind) || also(event))?.block ?? 0
