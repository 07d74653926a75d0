import { withdrawalRoad } from '#adapters/chain/withdrawal-road.ts'
import { hasEnded } from '#adapters/cohort/consent-end.ts'
import { systemClock } from '#adapters/host/system-host.ts'
import type { AtSite } from '#app/site/at-site.ts'
import type { Digest, RoundNo, RunId } from '#base/ids.ts'
import { programmeId } from '#patient/keys.ts'
import type { Receipt } from '#patient/receipt.ts'
import type { HistoryEntry } from '#patient/receipt-history.ts'
import type { ChainEvent } from '#ports/chain.ts'
import type { TagInRound } from './consent-history.ts'

export type { HistoryEntry } from '#patient/receipt-history.ts'

type Of<K extends ChainEvent['kind']> = Extract<ChainEvent, { kind: K }>

const KINDS = ['ConsentRoot', 'ConsentWithdrawn', 'RoundOpened', 'Contributed', 'RoundClosed', 'RoundRefused', 'RoundVoid'] as const
type Read = Of<(typeof KINDS)[number]>

/** @param patient its digest here; null: another site's receipt @param rounds of this site, by its archive: `tagsInRounds` */
export async function receiptHistory(site: AtSite, receipt: Receipt, patient: Digest | null, rounds: readonly TagInRound[]): Promise<readonly HistoryEntry[]> {
  const events = (await site.chain.events(0, { kinds: KINDS })) as readonly Read[]
  const { stop, terms, at, until } = await deskSide(site, receipt, patient)
  const withdrawn = await withdrawal(site, events, receipt)
  const ended = stop === null && withdrawn === null && until !== null && hasEnded(until, systemClock.nowMs())
  const opened = openings(events)
  const declared = rounds.flatMap((round) => {
    const opening = opened.get(roundKey(round))
    return opening === undefined ? [] : [{ ...round, opening }]
  })
  const told: (HistoryEntry | null)[] = [
    { what: 'granted', at, terms },
    ...(await rootsAbout(site, events, receipt.programme, receipt.tag)),
    used(declared),
    stop,
    withdrawn,
    ended ? { what: 'ended', at: until } : null,
    ...afterwards(declared, withdrawn?.block ?? null),
    await updates(site, events, declared),
  ]
  return told.flatMap((entry) => entry ?? []).sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
}

async function deskSide({ folder }: AtSite, { tag, grantedAt, ...receipt }: Receipt, patient: Digest | null) {
  const entries = patient === null ? [] : (await folder.consents.entriesOf(patient)).filter((entry) => entry.tag === tag)
  const granted = entries.find((entry) => entry.kind === 'granted')
  // It may have been given for longer, or shorter, since.
  const until = entries.findLast((entry) => entry.kind === 'granted')?.until ?? null
  const ended = entries.find((entry) => entry.kind === 'withdrawn')
  const agreed = 'terms' in receipt && receipt.terms !== null ? { version: receipt.terms.agreed.version, digest: receipt.terms.digest } : null
  const terms = granted?.kind === 'granted' ? (granted.terms ?? agreed) : agreed
  const stop: HistoryEntry | null =
    ended?.kind === 'withdrawn' && ended.by !== 'chain'
      ? { what: 'stopped here', at: ended.at, road: ended.by === 'card' ? 'page' : (ended.by ?? 'desk') }
      : null
  return { stop, terms, until, at: granted?.at ?? grantedAt }
}

const isoOf = ({ timestamp }: Pick<ChainEvent, 'timestamp'>): string => new Date(timestamp * 1000).toISOString()

async function withdrawal(site: AtSite, events: readonly Read[], { programme, tag }: Receipt) {
  const id = programmeId(programme)
  const found = events.find((e) => e.kind === 'ConsentWithdrawn' && e.programme === id && e.tag === tag)
  if (found === undefined) return null
  return { what: 'withdrawn', at: isoOf(found), block: found.block, road: await withdrawalRoad(site.chain.link, found.tx) } as const
}

/** The first root of this site that holds the consent, and the first after it that does not. */
async function rootsAbout({ folder, own }: AtSite, events: readonly Read[], programme: string, tag: Digest): Promise<readonly HistoryEntry[]> {
  const id = programmeId(programme)
  const archived = new Map((await folder.archive.grants(programme)).map((grants) => [grants.root, grants]))
  const stood = await folder.consents.stoodThen(programme, tag)
  let state: 'before' | 'in' | 'after' = 'before'
  const told: HistoryEntry[] = []
  for (const e of events) {
    if (e.kind !== 'ConsentRoot' || e.site !== own.id || e.programme !== id || state === 'after') continue
    const then = archived.get(e.root)
    if (then === undefined) continue
    const held = stood(then)
    if (held !== (state === 'before')) continue
    told.push({ what: held ? 'on chain' : 'root without', at: isoOf(e), epoch: e.epoch, root: e.root, block: e.block })
    state = held ? 'in' : 'after'
  }
  return told
}

interface Declared extends TagInRound {
  readonly opening: Of<'RoundOpened'>
}

const roundKey = ({ run, round }: { readonly run: RunId; readonly round: RoundNo }): string => `${run}/${round}`

const openings = (events: readonly Read[]): ReadonlyMap<string, Of<'RoundOpened'>> =>
  new Map(events.flatMap((e) => (e.kind === 'RoundOpened' ? [[roundKey(e), e] as const] : [])))

function used(declared: readonly Declared[]): HistoryEntry | null {
  const within = declared.filter(({ cohort }) => cohort === 'in')
  const [first] = within
  return first === undefined ? null : { what: 'used', at: isoOf(first.opening), run: first.run, round: first.round, rounds: within.length }
}

/** A round that opened in the withdrawal's own block counts as after it, as core/consent/cohort-proof.ts judges. */
function afterwards(declared: readonly Declared[], block: number | null): readonly HistoryEntry[] {
  if (block === null) return []
  const after = declared.filter(({ opening }) => opening.block >= block)
  const told = ({ run, round, opening }: Declared) => ({ at: isoOf(opening), run, round, openedAtBlock: opening.block })
  const against = after.filter(({ cohort }) => cohort === 'in').map((each) => ({ what: 'used after withdrawal' as const, ...told(each) }))
  const without = after.find(({ cohort }) => cohort === 'not in')
  return without === undefined ? against : [{ what: 'first round without' as const, ...told(without) }, ...against]
}

/** Which of the site's updates with the record in them still lie on this disk. */
async function updates({ store, own }: AtSite, events: readonly Read[], declared: readonly Declared[]): Promise<HistoryEntry | null> {
  const within = new Set(declared.filter(({ cohort }) => cohort === 'in').map(roundKey))
  const mine = events.filter((e): e is Of<'Contributed'> => e.kind === 'Contributed' && e.site === own.id && within.has(roundKey(e)))
  const last = mine.at(-1)
  if (last === undefined) return null
  const here = await Promise.all(mine.map(({ cid }) => store.has(cid)))
  const kept = here.filter(Boolean).length
  const at = isoOf(events.find((e) => ENDS.includes(e.kind) && 'round' in e && roundKey(e) === roundKey(last)) ?? last)
  return kept === 0 ? { what: 'updates deleted', at: laterBy(at, DAY_MS), updates: mine.length } : { what: 'updates kept', at, updates: kept, of: mine.length }
}

const ENDS: readonly string[] = ['RoundClosed', 'RoundRefused', 'RoundVoid']
/** As `round/named-objects.ts` says. */
const DAY_MS = 24 * 3_600_000
const laterBy = (iso: string, ms: number): string => new Date(Date.parse(iso) + ms).toISOString()
