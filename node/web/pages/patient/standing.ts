import type { Digest } from '#base/ids.ts'
import { consentKeys, programmeId } from '#patient/keys.ts'
import { PREFIX_DIGITS, type WithdrawalState, type Withdrawn } from '#patient/portal-api.ts'
import { askJson } from '#web/pages/shared/ask.ts'
import type { Network, Source } from './network.ts'

/** How the card's consent stands, as the portals' chains say it. */
export interface Standing {
  readonly tag: Digest
  /** Where a portal's chain has the withdrawal; the earliest block that one names. */
  readonly withdrawn: { readonly block: number; readonly time: number; readonly said: readonly string[] } | null
  /** Portals that were asked, answered, and do not see it. */
  readonly notSeen: readonly string[]
  /** A relay says that it has it and will put it on chain by then. */
  readonly waiting: { readonly by: string; readonly at: string } | null
}

export const tagOfCard = ({ card }: Pick<Network, 'card'>): Digest => consentKeys(card.secret, card.programme).tag

export async function readStanding(network: Network): Promise<Standing> {
  const tag = tagOfCard(network)
  const seen = await Promise.all(network.sources.map(async (source) => ({ url: source.url, at: await seenBy(source, network, tag).catch(() => undefined) })))
  const yes = seen.flatMap(({ url, at }) => (at === null || at === undefined ? [] : [{ url, ...at }]))
  const first = yes.toSorted((a, b) => a.block - b.block)[0]
  return {
    tag,
    withdrawn: first === undefined ? null : { block: first.block, time: first.time, said: yes.map(({ url }) => url) },
    notSeen: seen.filter(({ at }) => at === null).map(({ url }) => url),
    waiting: first === undefined ? await waitingAt(network, tag) : null,
  }
}

/** Asked by the first digits of the tag: a portal does not learn whose it is. Null: its chain does not have it. */
export async function seenBy({ url }: Source, { card }: Network, tag: Digest): Promise<{ readonly block: number; readonly time: number } | null> {
  const query = new URLSearchParams({ programme: programmeId(card.programme), prefix: tag.slice(0, 2 + PREFIX_DIGITS) })
  const { withdrawn } = await askJson<Withdrawn>(`${url}/api/withdrawn?${query}`)
  return withdrawn.find((each) => each.tag === tag) ?? null
}

/** Only the own hospital's portal is asked by the whole tag, which it knows: the relay that a withdrawal goes to first. */
async function waitingAt({ own, card }: Network, tag: Digest): Promise<Standing['waiting']> {
  if (own === null) return null
  const state = await askJson<WithdrawalState>(`${own.url}/api/withdrawals/${programmeId(card.programme)}/${tag}`).catch(() => null)
  return state?.state === 'waiting' ? { by: state.by, at: own.url } : null
}
