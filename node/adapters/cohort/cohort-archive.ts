import { fromHex, toDigest } from '#base/bytes.ts'
import type { Digest, RoundNo, RunId } from '#base/ids.ts'
import type { Vault } from '#ports/vault.ts'
import type { RecordedThen } from './consent-store.ts'
import { LOG_START, SealedLog } from './sealed-log.ts'

/** A cohort that this site committed to. Members as in the map: tags or, under opt-out without one, patients' digests; sorted. */
export interface ArchivedCohort {
  readonly programme: string
  readonly run: RunId
  readonly round: RoundNo
  readonly root: Digest
  readonly members: readonly Digest[]
}

/** A root over standing consents that this site put on chain, and the record that it is over. */
export interface ArchivedGrants extends RecordedThen {
  readonly programme: string
  readonly epoch: number
  readonly root: Digest
}

/** A cohort is written as what changed since the one before in its run, or whole: 32 bytes a member, joined, in base64. */
type CohortLine = { readonly kind: 'cohort'; readonly whole: boolean; readonly added: string; readonly removed: string } & Omit<ArchivedCohort, 'members'>
type Line = ({ readonly kind: 'granted' } & ArchivedGrants) | CohortLine

/** Runs whose last cohort is kept in memory: those that a node plays at a time. */
const RUNS_KEPT = 4

/**
 * Who was in which cohort, so that a site can show it for as long as it keeps this file, whatever becomes of its data. Sealed under a key
 * of the vault; patients are digests in it.
 */
export class CohortArchive {
  readonly #log: SealedLog<Line>
  #end = LOG_START
  readonly #last = new Map<RunId, ArchivedCohort>()
  #grants: readonly ArchivedGrants[] = []

  constructor(file: string, vault: Pick<Vault, 'keyedDigest'>) {
    this.#log = new SealedLog(file, fromHex(vault.keyedDigest('cohort-archive')), 'cohorts')
  }

  /** On disk when it returns. @throws ROTA-6002, ROTA-1306 */
  async rememberCohort(cohort: ArchivedCohort): Promise<void> {
    await this.#refresh()
    const last = this.#last.get(cohort.run)
    if (last?.round === cohort.round && last.root === cohort.root) return
    const [before, now] = [new Set(last?.members), new Set(cohort.members)]
    const { members, ...where } = cohort
    const added = joined(members.filter((member) => !before.has(member)))
    const removed = joined((last?.members ?? []).filter((member) => !now.has(member)))
    await this.#log.append([{ kind: 'cohort', ...where, whole: last === undefined, added, removed }])
  }

  rememberGrants(grants: ArchivedGrants): Promise<void> {
    return this.#log.append([{ kind: 'granted', ...grants }])
  }

  /** Those of a run, oldest first; of all runs under a programme when none is named. */
  async cohorts(which: { readonly programme: string } | { readonly run: RunId }): Promise<readonly ArchivedCohort[]> {
    const last = new Map<RunId, ArchivedCohort>()
    const all = (await this.#log.after(LOG_START)).entries.flatMap((line) => (line.kind === 'cohort' ? follow(last, line) : []))
    return all.filter((cohort) => ('run' in which ? cohort.run === which.run : cohort.programme === which.programme))
  }

  /** The newest of each of the last runs. */
  async lastCohorts(): Promise<readonly ArchivedCohort[]> {
    await this.#refresh()
    return [...this.#last.values()]
  }

  /** Oldest first. */
  async grants(programme: string): Promise<readonly ArchivedGrants[]> {
    await this.#refresh()
    return this.#grants.filter((grants) => grants.programme === programme)
  }

  async #refresh(): Promise<void> {
    const from = this.#end
    const { entries, end, anew } = await this.#log.after(from)
    if (this.#end !== from) return this.#refresh()
    if (anew) this.#last.clear()
    this.#grants = [...(anew ? [] : this.#grants), ...entries.flatMap((line) => (line.kind === 'granted' ? [line] : []))]
    for (const line of entries) if (line.kind === 'cohort') follow(this.#last, line)
    for (const run of [...this.#last.keys()].slice(0, -RUNS_KEPT)) this.#last.delete(run)
    this.#end = end
  }
}

/** The cohort that a line leads to, which is then the last of its run; none when the one before is not known here. */
function follow(last: Map<RunId, ArchivedCohort>, { kind: _, whole, added, removed, ...where }: CohortLine): readonly ArchivedCohort[] {
  const before = whole ? [] : last.get(where.run)?.members
  last.delete(where.run)
  if (before === undefined) return []
  const cohort = { ...where, members: added === '' && removed === '' ? before : changed(before, parted(added), new Set(parted(removed))) }
  last.set(where.run, cohort)
  return [cohort]
}

const changed = (before: readonly Digest[], added: readonly Digest[], removed: ReadonlySet<Digest>): readonly Digest[] =>
  [...before.filter((member) => !removed.has(member)), ...added].sort()

const DIGEST_BYTES = 32

const joined = (members: readonly Digest[]): string => Buffer.concat(members.map(fromHex)).toString('base64')

function parted(text: string): Digest[] {
  const bytes = Buffer.from(text, 'base64')
  return Array.from({ length: bytes.length / DIGEST_BYTES }, (_, i) => toDigest(bytes.subarray(i * DIGEST_BYTES, (i + 1) * DIGEST_BYTES)))
}
