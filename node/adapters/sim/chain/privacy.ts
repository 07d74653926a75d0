import { EMPTY } from '#base/bitmap.ts'
import { type Digest, type RoundNo, type RunId, roundNo, type SiteId, type StudyId, ZERO_DIGEST } from '#base/ids.ts'
import type { PrivacyPolicy } from '#ports/chain.ts'
import { type Call, revert } from './call.ts'
import { addLanes, isCharge, isLimit, isWithin } from './lanes.ts'
import type { SimSites } from './sites.ts'
import type { SimStudies } from './studies.ts'

/** PrivacyLedger.sol. */
export class SimPrivacy {
  readonly #sites: SimSites
  readonly #studies: SimStudies
  readonly #studyOf: (run: RunId) => StudyId
  readonly #policies = new Map<StudyId, PrivacyPolicy>()
  /** By site and dataset. */
  readonly #spent = new Map<string, bigint>()
  /** By run and site. */
  readonly #last = new Map<string, RoundNo>()

  /** @param studyOf of a run, or RoundCoordinator_UnknownRun */
  constructor(sites: SimSites, studies: SimStudies, studyOf: (run: RunId) => StudyId) {
    this.#sites = sites
    this.#studies = studies
    this.#studyOf = studyOf
  }

  setPolicy(call: Call, study: StudyId, { charge, limit }: PrivacyPolicy): void {
    const { publisher } = this.#studies.record(study)
    const site = this.#sites.nodeSite(call.sender)
    if (site !== publisher) revert('PrivacyLedger_NotPublisher', { study, site })
    if (this.#policies.has(study) || this.#studies.approvals(study) !== EMPTY) revert('PrivacyLedger_TooLate', { study })
    if (!isCharge(charge) || !isLimit(limit) || !isWithin(charge, limit)) revert('PrivacyLedger_BadPolicy', { charge, limit })
    this.#policies.set(study, { charge, limit })
    call.emit({ kind: 'PolicySet', study, site, charge, limit })
  }

  charge(call: Call, run: RunId, round: RoundNo, dataset: Digest): void {
    const study = this.#studyOf(run)
    const site = this.#sites.nodeSite(call.sender)
    const policy = this.#policies.get(study) ?? revert('PrivacyLedger_NoPolicy', { study })
    if (dataset === ZERO_DIGEST) revert('PrivacyLedger_ZeroDataset')
    if (round <= this.lastCharged(run, site)) revert('PrivacyLedger_AlreadyCharged', { run, round, site })
    const before = this.spentOf(site, dataset)
    const spent = addLanes(before, policy.charge)
    if (!isWithin(spent, policy.limit)) revert('PrivacyLedger_LimitReached', { site, dataset, spent: before, limit: policy.limit })
    this.#spent.set(`${site}/${dataset}`, spent)
    this.#last.set(`${run}/${site}`, round)
    call.emit({ kind: 'Charged', run, round, site, dataset, spent })
  }

  policyOf(study: StudyId): PrivacyPolicy | null {
    return this.#policies.get(study) ?? null
  }

  spentOf(site: SiteId, dataset: Digest): bigint {
    return this.#spent.get(`${site}/${dataset}`) ?? 0n
  }

  lastCharged(run: RunId, site: SiteId): RoundNo {
    return this.#last.get(`${run}/${site}`) ?? roundNo(0)
  }
}
