import { has } from '#base/bitmap.ts'
import { RotaError } from '#base/errors.ts'
import type { SiteId } from '#base/ids.ts'
import { type MaskingRound, maskingRound } from '#core/masking/context.ts'
import { type MaskGraph, maskGraph } from '#core/masking/graph.ts'
import type { Release } from '#core/masking/release.ts'
import type { RoundKeys } from '#core/masking/round-keys.ts'
import type { ChainEvent, RunView } from '#ports/chain.ts'
import type { KeyFile } from '#wire/masking/key-file.ts'
import type { Play, Round } from '../play.ts'
import { createDeals, type Deals } from './deals.ts'

type Opening = Extract<ChainEvent, { kind: 'RoundOpened' }>
export type Keying = Extract<ChainEvent, { kind: 'Keyed' }>

/** One masked round as this site sees it: what it is bound to, whose deals it holds, who shares a mask with whom. */
export interface MaskedRound {
  /** Of this very opening: a chain that went back may open the same round on another model. */
  readonly name: string
  readonly terms: MaskingRound
  /** Null until they are drawn, and once they are burnt. */
  keys: RoundKeys | null
  readonly deals: Deals
  /** As the chain shows them. */
  keyed: readonly Keying[]
  /** Follows from `keyed`; final when Keying is over. */
  graph: MaskGraph
  /** When this site saw the round first, and when it last said its offer and its shares, by its own clock. */
  readonly seenMs: number
  offeredMs: number
  releasedMs: number
  /** Shares that were not enough: nothing is tried again before others come. */
  lacking: ReadonlySet<Release> | null
}

export const isMasked = ({ study }: Pick<Play, 'study'>): boolean => study.protocol.mode === 'masked'

/** Of the round's log; null while the chain does not show its opening. */
export async function openMaskedRound(play: Play, view: RunView): Promise<MaskedRound | null> {
  const { chain } = play.site
  const { round, openedAtBlock } = view.round
  const events = await chain.events(openedAtBlock, { run: view.run, kinds: ['RoundOpened', 'Keyed'] })
  const opened = events.findLast((e): e is Opening => e.kind === 'RoundOpened' && e.round === round)
  if (opened === undefined || opened.block !== openedAtBlock) return null
  const keyed = events.filter((e): e is Keying => e.kind === 'Keyed' && e.round === round)
  const name = `${view.run}/${round}/${openedAtBlock} ${opened.baseRoot}`
  const known = play.masked?.name === name ? play.masked : await begin(play, view, opened, name)
  if (known !== play.masked) play.masked?.deals.stop()
  play.masked = known
  if (nameOf(known.keyed) !== nameOf(keyed)) {
    known.keyed = keyed
    known.graph = maskGraph(known.terms, keyed)
  }
  return known
}

async function begin(play: Play, view: RunView, opened: Opening, name: string): Promise<MaskedRound> {
  const { chain, sha256 } = play.site
  const terms = maskingRound(
    {
      chainId: chain.chainId,
      genesis: chain.genesis,
      coordinator: chain.coordinator,
      study: view.study,
      run: view.run,
      round: view.round.round,
      baseRoot: opened.baseRoot,
      protocol: (await play.study.record()).protocolDigest,
      members: opened.awaited,
    },
    sha256,
  )
  const never = Number.NEGATIVE_INFINITY
  return {
    name,
    terms,
    keys: null,
    deals: createDeals(play.site, play.wake),
    keyed: [],
    graph: maskGraph(terms, []),
    seenMs: play.site.host.clock.nowMs(),
    offeredMs: never,
    releasedMs: never,
    lacking: null,
  }
}

const nameOf = (keyed: readonly Keying[]): string => keyed.map(({ site, dealDigest, holds }) => `${site} ${dealDigest} ${holds}`).join(' ')

/** The key file that the chain names for a site; undefined while it is not here, or is none. */
export const keyFileOf = ({ keyed, deals }: MaskedRound, site: SiteId): KeyFile | undefined => {
  const named = keyed.find((event) => event.site === site)
  return named === undefined ? undefined : deals.keyFile(named.dealDigest)
}

export const isMember = ({ terms }: MaskedRound, site: SiteId): boolean => has(terms.members, site)

/** @throws ROTA-5508 (retry) when the chain does not show the round's opening any more */
export function maskedOf({ masked }: Pick<Play, 'masked'>, { run, round }: Pick<Round, 'run' | 'round'>): MaskedRound {
  if (masked === null) throw new RotaError('ROTA-5508', { run, round })
  return masked
}
