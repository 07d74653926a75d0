import { hasEnded } from '#adapters/cohort/consent-end.ts'
import type { ConsentEntry } from '#adapters/cohort/consent-store.ts'
import { momentOf } from '#adapters/fhir/fhir-time.ts'
import type { AtSite } from '#app/site/at-site.ts'
import type { Digest } from '#base/ids.ts'
import { programmeId } from '#wire/programme.ts'
import { sha256 } from '../sha256.ts'
import type { KnownStanding } from './import-plan.ts'

/** How every patient of the record stands under a programme, with what later consents are held against. */
export async function knownStandings(site: Pick<AtSite, 'folder' | 'chain'>, programme: string, nowMs: number): Promise<ReadonlyMap<Digest, KnownStanding>> {
  const [entries, onChain] = await Promise.all([site.folder.consents.entriesUnder(programme), withdrawalTimes(site, programme)])
  const standings = new Map<Digest, KnownStanding>()
  for (const entry of entries) standings.set(entry.patient, standingAfter(entry, onChain, nowMs))
  return standings
}

/** When each tag was withdrawn on chain, in ms. */
export async function withdrawalTimes({ chain }: Pick<AtSite, 'chain'>, programme: string): Promise<ReadonlyMap<Digest, number>> {
  const id = programmeId(programme, sha256)
  const events = await chain.events(0, { kinds: ['ConsentWithdrawn'] })
  return new Map(events.flatMap((e) => (e.kind === 'ConsentWithdrawn' && e.programme === id ? [[e.tag, e.timestamp * 1000] as const] : [])))
}

function standingAfter({ kind, tag, at, imported, until }: ConsentEntry, onChain: ReadonlyMap<Digest, number>, nowMs: number): KnownStanding {
  const own = imported?.until
  return {
    state: kind,
    atMs: Date.parse(at),
    onChainMs: tag === null ? null : (onChain.get(tag) ?? null),
    from: imported?.from ?? null,
    givenMs: imported?.givenAt == null ? null : (momentOf(imported.givenAt)?.from ?? null),
    untilMs: own === undefined ? null : Date.parse(own),
    isOver: hasEnded(until, nowMs),
  }
}
