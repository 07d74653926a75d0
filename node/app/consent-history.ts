import type { CsvConsentedCohort } from '#adapters/cohort/csv-cohort.ts'
import { entryOf, sha256, siteTree } from '#adapters/cohort/site-trees.ts'
import { fromHex, toHex } from '#base/bytes.ts'
import { isRotaError } from '#base/errors.ts'
import type { Digest, RoundNo, RunId } from '#base/ids.ts'
import { type AbsenceProof, type CohortPath, type CohortTree, proveAbsent, provePresent, verifyAbsent, verifyPresent } from '#core/commit/cohort-tree.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import type { ChainEvent } from '#ports/chain.ts'
import { type AtSite, cohortOf, heldProtocols, withdrawalsUnder } from './at-site.ts'

/** Whether one tag was in the cohort that this site committed to in a round. */
export interface TagInRound {
  readonly run: RunId
  readonly round: RoundNo
  /** 'unknown' where data or consents have changed since, so that the cohort of then cannot be built again. */
  readonly cohort: 'in' | 'not in' | 'unknown'
  /** Under opt-out a patient takes part before any receipt is made, under a digest of this site in place of a tag. */
  readonly before: boolean
  readonly cohortRoot: Digest
  /** What shows it to whoever is given the tag's entry; hex. */
  readonly proof: ToldProof | null
}

interface ToldPath {
  readonly entry: string
  readonly index: number
  readonly siblings: readonly string[]
}
export type ToldProof = { readonly entry: string } & ({ readonly present: ToldPath } | { readonly below: ToldPath; readonly above: ToldPath })

/** A tag, and the digest that the patient goes by where there is none. */
export interface WhoseTag {
  readonly tag: Digest
  readonly patient: Digest
}

type Contributed = Extract<ChainEvent, { kind: 'Contributed' }>
type Cohort = { readonly root: Digest; readonly tree: CohortTree }

/**
 * Goes through this site's contributions under a programme and shows for each that a tag was or was not in it, against the root
 * that stands on chain. Cohorts of then are built again from the data of now, the consent record and the log.
 * @returns for each of `tags`, in their order
 */
export async function tagsInRounds(
  site: AtSite,
  programme: string,
  tags: readonly WhoseTag[],
  signal: AbortSignal,
): Promise<readonly (readonly TagInRound[])[]> {
  const held = await heldProtocols(site, signal)
  const rounds = tags.map((): TagInRound[] => [])
  for (const { run, study } of await site.chain.runs()) {
    const protocol = held.get(study)
    if (protocol?.programme !== programme) continue
    const past = pastCohorts(site, protocol)
    const events = await site.chain.events(0, { run, kinds: ['Contributed'] })
    for (const e of events) {
      if (e.kind !== 'Contributed' || e.site !== site.own.id) continue
      const cohort = await past(e)
      tags.forEach((tag, i) => rounds[i]?.push(told(site, programme, tag, e, cohort)))
    }
  }
  return rounds
}

function told({ folder }: AtSite, programme: string, { tag, patient }: WhoseTag, { run, round, cohortRoot }: Contributed, cohort: Cohort | null): TagInRound {
  const where = { run, round, cohortRoot }
  if (cohort === null) return { ...where, cohort: 'unknown', before: false, proof: null }
  const { tree } = cohort
  const root = fromHex(cohortRoot)
  for (const [member, before] of [
    [tag, false],
    [patient, true],
  ] as const) {
    const entry = entryOf(folder.vault, programme, member)
    const present = provePresent(tree, entry)
    if (present !== null && verifyPresent(root, entry, present, sha256))
      return { ...where, cohort: 'in', before, proof: { entry: toHex(entry), present: hexPath(present) } }
  }
  const entry = entryOf(folder.vault, programme, tag)
  const absent = proveAbsent(tree, entry)
  if (absent === null || !verifyAbsent(root, entry, absent, sha256)) return { ...where, cohort: 'unknown', before: false, proof: null }
  return { ...where, cohort: 'not in', before: false, proof: { entry: toHex(entry), ...hexAbsence(absent) } }
}

const hexPath = ({ entry, index, siblings }: CohortPath): ToldPath => ({ entry: toHex(entry), index, siblings: siblings.map(toHex) })
const hexAbsence = ({ below, above }: AbsenceProof) => ({ below: hexPath(below), above: hexPath(above) })

/**
 * Finds the cohort behind a contribution: with each state that the desk's record has had, newest first, and the withdrawals that
 * were on chain by then. A round may have begun before the last of those, so a few blocks back are tried too.
 */
function pastCohorts(site: AtSite, protocol: Protocol): (event: Contributed) => Promise<Cohort | null> {
  const { folder, chain } = site
  const known = new Map<Digest, Cohort>()
  const built = new Set<string>()
  /** Each reads the file once. */
  const asOf = new Map<string, ReturnType<typeof cohortOf>>()
  const build = async (until: string, withdrawn: ReadonlySet<Digest>): Promise<void> => {
    const key = `${until}/${withdrawn.size}`
    if (built.has(key)) return
    built.add(key)
    const then = asOf.get(until) ?? cohortOf(folder, { standings: (programme) => folder.consents.standings(programme, until) })
    asOf.set(until, then)
    const { root, members } = (await then.consented(protocol, withdrawn)) as CsvConsentedCohort
    if (!known.has(root)) known.set(root, { root, tree: siteTree(folder.vault, protocol.programme, members) })
  }
  return async ({ cohortRoot, block }) => {
    const times = batches(await folder.consents.times(protocol.programme)).reverse()
    const withdrawals = [...(await withdrawalsUnder(chain, protocol.programme))].filter(([, at]) => at <= block).map(([tag]) => tag)
    try {
      for (let missed = 0; missed <= withdrawals.length; missed++) {
        for (const until of [...times, '']) {
          if (known.has(cohortRoot)) return known.get(cohortRoot) ?? null
          await build(until, new Set(withdrawals.slice(0, withdrawals.length - missed)))
        }
      }
    } catch (error) {
      if (!isRotaError(error)) throw error // data that no longer fit the protocol
    }
    return known.get(cohortRoot) ?? null
  }
}

const BATCH_MS = 1_000

/** The last of each run of times close together: what was recorded in one go was never seen in part. */
const batches = (times: readonly string[]): string[] =>
  times.filter((time, i) => i === times.length - 1 || Date.parse(times[i + 1] ?? time) - Date.parse(time) > BATCH_MS)
