import { EMPTY, has } from '#base/bitmap.ts'
import type { Bitmap, RunId, SiteId, StudyId } from '#base/ids.ts'
import type { ChainEvent, SiteState } from '#ports/chain.ts'
import type { EventOf } from './run-log.ts'

/** Why a site that belongs to a run does not stand in a round's rota. */
export const OUTSIDE = [
  /** It resigned from the network, or was voted out. */
  'left',
  /** The members suspended it. */
  'suspended',
  /** Its steward took it out of the study. */
  'withdrew',
  /** It is a member, and the study's newest key was drawn without it. */
  'waitsForKey',
  /** The log that was read does not say why. */
  'notInRota',
] as const
export type Outside = (typeof OUTSIDE)[number]

/** Who belongs to one study, as far as the log was read. */
export interface StudyMembers {
  take(event: ChainEvent): void
  /** Who belongs to the run and is not in this rota: sites of its earlier rounds, and whose stewards approved the study. In the order of ids. */
  outside(rota: readonly SiteId[], earlier: Iterable<SiteId>): ReadonlyMap<SiteId, Outside>
  /** Why a site that stood in the rota may act no more; null while it may. */
  goneBy(site: SiteId): Outside | null
}

export function studyOf(events: readonly ChainEvent[], run: RunId): StudyId | null {
  for (const e of events) if (e.kind === 'RunOpened' && e.run === run) return e.study
  return null
}

type MemberEvent = EventOf<'SiteChanged' | 'StudyApproved' | 'StudyWithdrawn' | 'EpochPublished'>

/** The events that a study's members follow from. */
export function isOfMembers(e: ChainEvent, study: StudyId | null): e is MemberEvent {
  switch (e.kind) {
    case 'SiteChanged':
      return true
    case 'StudyApproved':
    case 'StudyWithdrawn':
    case 'EpochPublished':
      return e.study === study
    default:
      return false
  }
}

export function studyMembers(study: StudyId | null): StudyMembers {
  const states = new Map<SiteId, SiteState>()
  const approved = new Map<SiteId, boolean>()
  let keyed: Bitmap = EMPTY

  const goneBy = (site: SiteId): Outside | null => {
    const state = states.get(site)
    if (state === 'Removed') return 'left'
    if (state === 'Suspended') return 'suspended'
    return approved.get(site) === false ? 'withdrew' : null
  }
  const whyOutside = (site: SiteId): Outside => goneBy(site) ?? (approved.get(site) === true && !has(keyed, site) ? 'waitsForKey' : 'notInRota')
  /** The approval of a site that left before stays on chain, and stands for nothing. */
  const belong = (): readonly SiteId[] => [...approved].flatMap(([site, stands]) => (stands && states.get(site) !== 'Removed' ? [site] : []))

  return {
    take(e) {
      if (!isOfMembers(e, study)) return
      if (e.kind === 'SiteChanged') states.set(e.site, e.state)
      else if (e.kind === 'EpochPublished') keyed = e.members
      else approved.set(e.site, e.kind === 'StudyApproved')
    },
    outside(rota, earlier) {
      const others = [...new Set([...earlier, ...belong()])].filter((site) => !rota.includes(site)).sort((a, b) => a - b)
      return new Map(others.map((site) => [site, whyOutside(site)]))
    },
    goneBy,
  }
}
