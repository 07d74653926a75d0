import type { CsvConsentedCohort } from '#adapters/cohort/csv-cohort.ts'
import { entryOf, sha256, siteTree } from '#adapters/cohort/site-trees.ts'
import { fromHex, toHex } from '#base/bytes.ts'
import { isRotaError } from '#base/errors.ts'
import type { Digest, RoundNo, RunId } from '#base/ids.ts'
import { type AbsenceProof, type CohortPath, proveAbsent, provePresent, verifyAbsent, verifyPresent } from '#core/commit/cohort-tree.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import type { ChainEvent } from '#ports/chain.ts'
import { type AtSite, cohortOf, heldProtocols, withdrawalsUnder } from './at-site.ts'

/** Whether one tag was in the cohort that this site committed to in a round. */
export interface TagInRound {
  readonly run: RunId
  readonly round: RoundNo
  /** 'unknown' where data or consents have changed since, so that the cohort of then cannot be built again. */
  readonly cohort: 'in' | 'not in' | 'unknown'
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

type Contributed = Extract<ChainEvent, { kind: 'Contributed' }>
type Cohort = { readonly root: Digest; readonly members: readonly Digest[] }

/**
 * Goes through this site's contributions under a programme and shows for each that a tag was or was not in it, against the root
 * that stands on chain. Cohorts of then are built again from the data of now, the consent record and the log.
 * @returns for each of `tags`, in their order
 */
export async function tagsInRounds(site: AtSite, programme: string, tags: readonly Digest[], signal: AbortSignal): Promise<readonly (readonly TagInRound[])[]> {
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

function told({ folder }: AtSite, programme: string, tag: Digest, { run, round, cohortRoot }: Contributed, cohort: Cohort | null): TagInRound {
  if (cohort === null) return { run, round, cohort: 'unknown', cohortRoot, proof: null }
  const tree = treeOf(folder.vault, programme, cohort)
  const entry = entryOf(folder.vault, programme, tag)
  const root = fromHex(cohortRoot)
  const present = provePresent(tree, entry)
  if (present !== null && verifyPresent(root, entry, present, sha256)) return { run, round, cohort: 'in', cohortRoot, proof: { entry: toHex(entry), present: hexPath(present) } }
  const absent = proveAbsent(tree, entry)
  if (absent === null || !verifyAbsent(root, entry, absent, sha256)) return { run, round, cohort: 'unknown', cohortRoot, proof: null }
  return { run, round, cohort: 'not in', cohortRoot, proof: { entry: toHex(entry), ...hexAbsence(absent) } }
}

/** Rounds mostly share their cohort, and every tag is looked up in it. */
function treeOf(vault: AtSite['folder']['vault'], programme: string, cohort: Cohort): ReturnType<typeof siteTree> {
  const known = trees.get(cohort) ?? siteTree(vault, programme, cohort.members)
  trees.set(cohort, known)
  return known
}

const trees = new WeakMap<Cohort, ReturnType<typeof siteTree>>()

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
  const build = async (until: string, withdrawn: ReadonlySet<Digest>): Promise<void> => {
    const key = `${until}/${withdrawn.size}`
    if (built.has(key)) return
    built.add(key)
    const then = cohortOf(folder, { standings: (programme) => folder.consents.standings(programme, until) })
    const cohort = (await then.consented(protocol, withdrawn)) as CsvConsentedCohort
    known.set(cohort.root, cohort)
  }
  return async ({ cohortRoot, block }) => {
    const times = [...(await folder.consents.times(protocol.programme))].reverse()
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
