import { cohortMap, cohortPad, cohortSecret, grantedPad } from '#adapters/cohort/site-maps.ts'
import type { SimSite } from '#adapters/sim/site.ts'
import type { SimWorld } from '#adapters/sim/world.ts'
import { sha256 } from '#app/sha256.ts'
import { fromHex, toHex } from '#base/bytes.ts'
import type { Digest } from '#base/ids.ts'
import { cohortKey, grantEntry, grantKey } from '#core/consent/cohort-map.ts'
import { type CohortOpening, judgeOpening, readCohortOpening } from '#core/consent/cohort-opening.ts'
import { type ChainRecord, type CohortProof, judgeCohortProof, readCohortProof, tellCountedProof, tellMapProof } from '#core/consent/cohort-proof.ts'
import { proveCounted } from '#core/consent/counted-map.ts'
import { proveKey } from '#core/consent/keyed-map.ts'
import { programmeId } from '#patient/keys.ts'
import type { ChainEvent } from '#ports/chain.ts'
import { type ConsentingSite, EPOCH, networkOf, type Person } from './consenting.ts'

type Of<K extends ChainEvent['kind']> = Extract<ChainEvent, { kind: K }>
export const only = <K extends ChainEvent['kind']>(events: readonly ChainEvent[], kind: K): Of<K>[] => events.filter((e): e is Of<K> => e.kind === kind)

/** What somebody with the chain's log and a withdrawn card found out. */
export interface Findings {
  /** Contributions to rounds that opened after a tag's block, by that tag's hospital, which were looked at. */
  readonly contributions: number
  /** Rounds whose whole cohort was opened to an auditor. */
  readonly opened: number
  readonly violations: readonly string[]
}

/**
 * Looks at each round that opened after a withdrawal's block: by the chain's log, and by proofs that are made at the hospital and judged by what
 * the chain alone says. A hospital that shows nothing, or something that does not lead to what it declared, is a violation as well.
 */
export function outsider(world: SimWorld, sites: readonly ConsentingSite[], programme: string, withdrawn: readonly Person[]): Findings {
  const events = world.chain.ledger.eventsFrom(0)
  const found = { contributions: 0, opened: 0, violations: [] as string[] }
  const tags = only(events, 'ConsentWithdrawn').filter((e) => e.programme === programmeId(programme))
  for (const { tag, site: id } of withdrawn) {
    const block = tags.find((e) => e.tag === tag)?.block
    if (block === undefined) found.violations.push(`the withdrawal of a patient of site ${id} is not on chain at the end`)
    for (const opened of only(events, 'RoundOpened')) {
      if (block === undefined || opened.block <= block) continue
      const hospital = { site: world.site(id), consenting: sites[id] as ConsentingSite, programme, network: networkOf(world) }
      const record = recordOf(events, hospital, opened, block)
      if (record.contributed === null) continue
      found.contributions++
      const where = `site ${id}, run ${opened.run}, round ${opened.round}`
      const verdict = verdictOn(prove(hospital, opened, tag, record.contributed.root), tag, record)
      if (verdict !== null) found.violations.push(`${where}: ${verdict}`)
      found.opened++
      const fault = audit(hospital, opened, record, tags)
      if (fault !== null) found.violations.push(`${where}, opened: ${fault}`)
    }
  }
  return found
}

interface Hospital {
  readonly site: SimSite
  readonly consenting: ConsentingSite
  readonly programme: string
  readonly network: Uint8Array
}

/** From the log alone. */
function recordOf(events: readonly ChainEvent[], { site, programme, network }: Hospital, opened: Of<'RoundOpened'>, withdrawnAtBlock: number): ChainRecord {
  const mine = only(events, 'Contributed').findLast((e) => e.run === opened.run && e.round === opened.round && e.site === site.id)
  const roots = only(events, 'ConsentRoot').filter((e) => e.site === site.id && e.programme === programmeId(programme))
  return {
    network,
    openedAtBlock: opened.block,
    contributed: mine === undefined ? null : { root: mine.cohortRoot, block: mine.block },
    epochs: roots.map(({ epoch, root, block }) => ({ epoch, root, block })),
    withdrawnAtBlock,
  }
}

/** As the hospital's command makes it, written into a file; null where it remembers no such cohort. */
function prove({ site, consenting, programme, network }: Hospital, { run, round }: Of<'RoundOpened'>, tag: Digest, root: Digest): string | null {
  const archived = consenting.archived.find((cohort) => cohort.root === root)
  if (archived === undefined) return null
  const place = { network, run, round }
  const secret = cohortSecret(site.vault, programme, tag)
  const cohort = cohortMap(site.vault, programme, archived.members, place)
  const granted = proveKey(consenting.grantedMap(site), grantKey(fromHex(tag), sha256))
  const proof: CohortProof = {
    ...{ version: 1, programme, site: site.id, run, round, tag, secret: toHex(secret), standing: null, before: null },
    granted: { epoch: EPOCH, map: tellMapProof(granted) },
    cohort: tellCountedProof(proveCounted(cohort, cohortKey(secret, place, sha256))),
  }
  return JSON.stringify(proof)
}

function verdictOn(text: string | null, tag: Digest, record: ChainRecord): string | null {
  const proof = text === null ? null : readCohortProof(text)
  if (proof === null) return 'the hospital shows no proof'
  const verdict = judgeCohortProof(proof, tag, record, sha256)
  if (!verdict.valid) return `the proof does not hold: ${verdict.reason}`
  return verdict.state === 'not in the declared cohort' ? null : `${verdict.state}: ${verdict.reason}`
}

/** The whole cohort, as an auditor is shown it. */
function audit(hospital: Hospital, opened: Of<'RoundOpened'>, record: ChainRecord, withdrawn: readonly Of<'ConsentWithdrawn'>[]): string | null {
  const opening = readCohortOpening(JSON.stringify(openingOf(hospital, opened, record)))
  if (opening === null) return 'the hospital opens nothing'
  const { withdrawnAtBlock: _, ...rest } = record
  const verdict = judgeOpening(opening, { ...rest, withdrawn: withdrawn.map(({ tag, block }) => ({ tag, block })) }, false, sha256)
  return verdict.holds ? null : verdict.faults.join('; ')
}

function openingOf({ site, consenting, programme, network }: Hospital, { run, round }: Of<'RoundOpened'>, { contributed }: ChainRecord): CohortOpening | null {
  const archived = consenting.archived.find((cohort) => cohort.root === contributed?.root)
  if (archived === undefined) return null
  const secretOf = (tag: Digest): Uint8Array => cohortSecret(site.vault, programme, tag)
  const consents = consenting.people.map(({ tag }) => grantEntry(fromHex(tag), secretOf(tag), sha256))
  return {
    ...{ version: 1, programme, site: site.id, run, round },
    secrets: archived.members.map((member) => toHex(secretOf(member))),
    pad: toHex(cohortPad(site.vault, programme, { network, run, round })),
    granted: {
      epoch: EPOCH,
      entries: consents.map(({ key, value }) => [toHex(key), toHex(value)] as const),
      pad: toHex(grantedPad(site.vault, programme, EPOCH)),
    },
  }
}
