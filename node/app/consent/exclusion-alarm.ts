import { newestTerms } from '#app/programme/terms-on-chain.ts'
import type { SiteFolder } from '#app/site/site-folder.ts'
import { isRotaError, RotaError } from '#base/errors.ts'
import type { Digest, RunId } from '#base/ids.ts'
import type { ChainEvent, ChainReader } from '#ports/chain.ts'
import type { Clock, Log } from '#ports/host.ts'
import { readOn } from '#round/read-on.ts'
import { programmeId } from '#wire/programme.ts'
import { sha256 } from '../sha256.ts'
import { type Exclusion, lateExclusions, type NewestCohort } from './late-exclusions.ts'

export interface ExclusionAlarmParts {
  readonly folder: Pick<SiteFolder, 'consents' | 'archive'>
  readonly chain: Pick<ChainReader, 'events' | 'head' | 'runs'>
  readonly clock: Clock
  readonly log: Log
}

const LOOK_MS = 30_000
/** Where a programme has no terms. */
const USUAL_RELAY_DELAY_SECONDS = 86_400

/**
 * Looks again and again whether every withdrawal has come into effect: this site's own cohorts are held against the chain and its record.
 * @param alarm told ROTA-6019, the sum over all programmes, while one takes too long; null once none does
 */
export async function watchExclusions(parts: ExclusionAlarmParts, alarm: (error: RotaError | null, count: number) => void, signal: AbortSignal): Promise<void> {
  const look = exclusionAlarm(parts)
  let told = ''
  while (!signal.aborted) {
    const found = await look().catch((error: unknown) => {
      if (!isRotaError(error)) throw error
      return undefined
    })
    if (found !== undefined) {
      const count = found.reduce((sum, { details }) => sum + Number(details.count), 0)
      alarm(found[0] ?? null, count)
      const text = found.map(({ message }) => message).join('\n')
      if (text !== told) for (const { code, details } of found) parts.log.error('exclusion.late', { code, count: details.count, reason: details.reason })
      told = text
    }
    await parts.clock.sleep(LOOK_MS, signal).catch(() => undefined)
  }
}

/** One look, to be repeated: an error for each programme in which an exclusion takes too long. */
export function exclusionAlarm({ folder, chain, clock }: ExclusionAlarmParts): () => Promise<readonly RotaError[]> {
  const openings = openedRounds(chain)
  return async () => {
    const opened = await openings()
    const programmes = await folder.consents.programmes()
    const excluded = await Promise.all(programmes.map(async (programme) => ({ programme, exclusions: await exclusionsUnder(folder, chain, programme) })))
    if (excluded.every(({ exclusions }) => exclusions.length === 0)) return []
    const [head, cohorts] = await Promise.all([chain.head(), newestCohorts(folder, chain, opened)])
    const now = { chain: head.timestamp, clock: Math.floor(clock.nowMs() / 1000) }
    const late = await Promise.all(
      excluded.map(async ({ programme, exclusions }) => {
        const terms = (await newestTerms(chain, programme))?.terms
        const relayDelay = terms === undefined ? USUAL_RELAY_DELAY_SECONDS : terms.relayDelayHours * 3600
        return errorsOf(programme, lateExclusions(exclusions, cohorts, now, relayDelay))
      }),
    )
    return late.flat()
  }
}

function errorsOf(programme: string, { inCohort, notOnChain }: ReturnType<typeof lateExclusions>): readonly RotaError[] {
  const error = (count: number, reason: string): readonly RotaError[] => (count === 0 ? [] : [new RotaError('ROTA-6019', { count, programme, reason })])
  return [
    ...error(inCohort, 'they are still in a cohort of this site, of a round that opened after them or that does not end for a day'),
    ...error(notOnChain, 'a portal of this site took them, and they are not on chain within the time that was promised'),
  ]
}

/** Who withdrew, on chain or here. */
async function exclusionsUnder(
  { consents }: ExclusionAlarmParts['folder'],
  chain: ExclusionAlarmParts['chain'],
  programme: string,
): Promise<readonly Exclusion[]> {
  const id = programmeId(programme, sha256)
  const events = await chain.events(0, { kinds: ['ConsentWithdrawn'] })
  const onChain = new Map(events.flatMap((e) => (e.kind === 'ConsentWithdrawn' && e.programme === id ? [[e.tag, e] as const] : [])))
  const last = new Map((await consents.entriesUnder(programme)).map((entry) => [entry.patient, entry]))
  return [...last.values()].flatMap((entry): readonly Exclusion[] => {
    const found = entry.tag === null ? undefined : onChain.get(entry.tag)
    if (entry.kind === 'granted' && found === undefined) return []
    const withdrawn = entry.kind === 'withdrawn'
    const notedAt = withdrawn ? Date.parse(entry.at) / 1000 : Number.POSITIVE_INFINITY
    return [{ member: entry.tag ?? entry.patient, notedAt, onChain: found ?? null, promised: withdrawn && entry.by === 'card' }]
  })
}

type Opened = ReadonlyMap<RunId, ReadonlyMap<number, number>>

async function newestCohorts(
  { archive }: ExclusionAlarmParts['folder'],
  chain: ExclusionAlarmParts['chain'],
  opened: Opened,
): Promise<readonly NewestCohort[]> {
  const cohorts = await archive.lastCohorts()
  if (cohorts.length === 0) return []
  const live = new Set((await chain.runs()).flatMap(({ run, state }) => (state === 'Active' || state === 'Paused' ? [run] : [])))
  return cohorts.map(({ run, round, members }) => ({
    ...{ run, over: !live.has(run), openedAtBlock: opened.get(run)?.get(round) ?? null },
    members: new Set<Digest>(members),
  }))
}

/** A cohort that was made is of one of a run's last rounds. */
const ROUNDS_KEPT = 16

/** Blocks in which each run's last rounds opened, read on from look to look. */
function openedRounds(chain: Pick<ChainReader, 'events'>): () => Promise<Opened> {
  const next = readOn(chain, { kinds: ['RoundOpened'] })
  const opened = new Map<RunId, Map<number, number>>()
  return async () => {
    const { events, anew } = await next()
    if (anew) opened.clear()
    for (const e of events) if (e.kind === 'RoundOpened') note(opened, e)
    return opened
  }
}

function note(opened: Map<RunId, Map<number, number>>, { run, round, block }: Extract<ChainEvent, { kind: 'RoundOpened' }>): void {
  const rounds = opened.get(run) ?? new Map<number, number>()
  opened.set(run, rounds.set(round, block))
  rounds.delete(round - ROUNDS_KEPT)
}
