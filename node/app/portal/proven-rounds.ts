import { proveTag } from '#app/consent/consent-prove.ts'
import type { AtSite } from '#app/site/at-site.ts'
import { isRotaError } from '#base/errors.ts'
import type { Digest } from '#base/ids.ts'
import type { ProvenRound, ProvenRounds } from '#patient/portal-api.ts'
import type { ChainEvent } from '#ports/chain.ts'

/** A page of rounds: the proof of one over a hundred thousand members takes a second. */
const ROUNDS_A_PAGE = 10

type Opened = Extract<ChainEvent, { kind: 'RoundOpened' }>

/** Rounds in which this site declared a cohort under a programme, newest first, each with its proof about one tag. */
export async function provenRounds(site: AtSite, programme: string, tag: Digest, page: number): Promise<Omit<ProvenRounds, 'record'>> {
  const opened = await roundsUnder(site, programme)
  const from = page * ROUNDS_A_PAGE
  const rounds: ProvenRound[] = []
  // One after the other: the node beside it needs the processor too.
  for (const { run, round, timestamp } of opened.slice(from, from + ROUNDS_A_PAGE)) {
    const shown = await proveTag(site, { programme, tag, run, round }).then(
      (proof) => ({ proof, why: null }),
      (error: unknown) => {
        if (!isRotaError(error)) throw error
        return { proof: null, why: error.code }
      },
    )
    rounds.push({ run, round, openedAt: timestamp, ...shown })
  }
  return { rounds, next: opened.length > from + ROUNDS_A_PAGE ? page + 1 : null }
}

/** By the archive of cohorts, which knows under which programme each was. */
async function roundsUnder({ folder, chain, own }: AtSite, programme: string): Promise<readonly Opened[]> {
  const runs = new Set((await folder.archive.cohorts({ programme })).map(({ run }) => run))
  const events = await chain.events(0, { kinds: ['RoundOpened', 'Contributed'] })
  const mine = new Set(events.flatMap((e) => (e.kind === 'Contributed' && e.site === own.id && runs.has(e.run) ? [`${e.run}.${e.round}`] : [])))
  return events.filter((e): e is Opened => e.kind === 'RoundOpened' && mine.has(`${e.run}.${e.round}`)).reverse()
}
