import { EMPTY, has, withSite } from '#base/bitmap.ts'
import { type Bitmap, type Digest, type SiteId, type StudyId, studyId, ZERO_DIGEST } from '#base/ids.ts'
import type { EpochRecord, StudyRecord, StudyRules } from '#ports/chain.ts'
import { common, countOf, without } from './bits.ts'
import { type Call, revert } from './call.ts'
import type { Studies } from './coordinator.ts'
import { placeToDraw, TURN_SECONDS } from './key-turns.ts'
import type { Rota } from './opening.ts'
import type { SimSites } from './sites.ts'
import { checkRules, MAX_MASKED } from './study-rules.ts'

interface Study {
  readonly id: StudyId
  readonly publisher: SiteId
  readonly protocolDigest: Digest
  readonly protocolCid: Digest
  readonly rules: StudyRules
  readonly approvals: Bitmap
  readonly epochs: readonly EpochRecord[]
  /** A member could not unwrap the newest epoch's key: another may follow. */
  readonly reported: boolean
  /** Who drew the key of each epoch. */
  readonly drawers: readonly SiteId[]
  /** When approvals last changed or the key was reported, in seconds. */
  readonly since: number
}

/** What a study shows before its first epoch. */
const NO_EPOCH: EpochRecord = Object.freeze({ epoch: 0, commitment: ZERO_DIGEST, bundle: ZERO_DIGEST, members: EMPTY, reported: false })

/** StudyRegistry.sol. */
export class SimStudies implements Studies {
  readonly #sites: SimSites
  readonly #maxSites: number
  readonly #fewestMasked: number | undefined
  #studies: readonly Study[] = []

  constructor(sites: SimSites, maxSites: number, fewestMasked?: number) {
    this.#sites = sites
    this.#maxSites = maxSites
    this.#fewestMasked = fewestMasked
  }

  publish(call: Call, protocolDigest: Digest, protocolCid: Digest, rules: StudyRules): StudyId {
    const publisher = this.#activeNode(call)
    if ([protocolDigest, protocolCid, rules.arithmeticVersion].includes(ZERO_DIGEST)) revert('StudyRegistry_ZeroDigest')
    checkRules(rules, countOf(this.#sites.active), this.#maxSites, this.#fewestMasked)
    const id = studyId(this.#studies.length + 1)
    this.#studies = [
      ...this.#studies,
      { id, publisher, protocolDigest, protocolCid, rules: Object.freeze({ ...rules }), approvals: EMPTY, epochs: [], reported: false, drawers: [], since: 0 },
    ]
    call.emit({ kind: 'StudyPublished', study: id, publisher, protocolDigest, protocolCid })
    return id
  }

  approve(call: Call, id: StudyId, protocolDigest: Digest): void {
    const study = this.#known(id)
    const site = this.#steward(call)
    if (!this.#sites.isActive(site)) revert('StudyRegistry_NotSteward', { caller: call.sender })
    if (protocolDigest !== study.protocolDigest) revert('StudyRegistry_OtherDigest', { study: id, given: protocolDigest, published: study.protocolDigest })
    if (has(study.approvals, site)) revert('StudyRegistry_AlreadyApproved', { study: id, site })
    const approvals = withSite(study.approvals, site)
    const sites = countOf(approvals)
    if (study.rules.mode === 'masked' && sites > MAX_MASKED) revert('StudyRegistry_TooManyToMask', { sites, most: MAX_MASKED })
    this.#store({ ...study, approvals, since: call.timestamp })
    call.emit({ kind: 'StudyApproved', study: id, site })
  }

  withdrawSite(call: Call, id: StudyId): void {
    const study = this.#known(id)
    const site = this.#steward(call)
    if (!has(study.approvals, site)) revert('StudyRegistry_NotApproved', { study: id, site })
    this.#store({ ...study, approvals: without(study.approvals, withSite(EMPTY, site)), since: call.timestamp })
    call.emit({ kind: 'StudyWithdrawn', study: id, site })
  }

  publishEpoch(call: Call, id: StudyId, epoch: number, commitment: Digest, bundle: Digest): void {
    const study = this.#known(id)
    if (commitment === ZERO_DIGEST || bundle === ZERO_DIGEST) revert('StudyRegistry_ZeroDigest')
    if (epoch !== study.epochs.length) revert('StudyRegistry_NotNextEpoch', { study: id, epoch, next: study.epochs.length })
    const members = this.membersNow(id)
    const site = epoch === 0 ? this.#publisher(call, study) : this.#member(call, id)
    if (members === EMPTY) revert('StudyRegistry_NoMembers', { study: id })
    const newest = study.epochs.at(-1)
    if (newest !== undefined && !study.reported && newest.members === members) revert('StudyRegistry_EpochNotDue', { study: id, epoch })
    if (newest !== undefined) checkTurn(call, study, newest, site, members)
    const epochs = [...study.epochs, Object.freeze({ epoch, commitment, bundle, members, reported: false })]
    this.#store({ ...study, epochs, reported: false, drawers: [...study.drawers, site] })
    call.emit({ kind: 'EpochPublished', study: id, epoch, site, commitment, bundle, members })
  }

  reportEpoch(call: Call, id: StudyId, epoch: number): void {
    const study = this.#known(id)
    if (epoch + 1 !== study.epochs.length) revert('StudyRegistry_NotNewestEpoch', { study: id, epoch })
    const site = this.#member(call, id)
    if (study.reported) revert('StudyRegistry_AlreadyReported', { study: id, epoch })
    this.#store({ ...study, reported: true, since: call.timestamp })
    call.emit({ kind: 'EpochReported', study: id, epoch, site })
  }

  get count(): number {
    return this.#studies.length
  }

  record(id: StudyId): StudyRecord {
    const { approvals: _, drawers: __, since: ___, reported, epochs, ...study } = this.#known(id)
    return Object.freeze({ ...study, approved: this.membersNow(id), epoch: { ...(epochs.at(-1) ?? NO_EPOCH), reported } })
  }

  epochOf(id: StudyId, epoch: number): EpochRecord {
    const { epochs } = this.#known(id)
    return epochs[epoch] ?? revert('StudyRegistry_NotNextEpoch', { study: id, epoch, next: epochs.length })
  }

  rulesOf(id: StudyId): StudyRules {
    return this.#known(id).rules
  }

  approvals(id: StudyId): Bitmap {
    return this.#studies[id - 1]?.approvals ?? EMPTY
  }

  membersNow(id: StudyId): Bitmap {
    return common(this.approvals(id), this.#sites.active)
  }

  rotaNow(id: StudyId): Rota {
    const newest = this.#studies[id - 1]?.epochs.at(-1)
    return newest === undefined ? { sites: EMPTY, epoch: 0 } : { sites: common(this.membersNow(id), newest.members), epoch: newest.epoch }
  }

  #known(id: StudyId): Study {
    return this.#studies[id - 1] ?? revert('StudyRegistry_UnknownStudy', { study: id })
  }

  #store(study: Study): void {
    this.#studies = this.#studies.with(study.id - 1, study)
  }

  #publisher(call: Call, study: Study): SiteId {
    const site = this.#activeNode(call)
    if (site !== study.publisher) revert('StudyRegistry_NotPublisher', { study: study.id, site })
    return site
  }

  #member(call: Call, id: StudyId): SiteId {
    const site = this.#sites.nodeSite(call.sender)
    if (!has(this.membersNow(id), site)) revert('StudyRegistry_NotApproved', { study: id, site })
    return site
  }

  #activeNode(call: Call): SiteId {
    const found = this.#sites.roleOf(call.sender)
    if (found?.role !== 'Node' || !this.#sites.isActive(found.site)) return revert('StudyRegistry_NotActive', { caller: call.sender })
    return found.site
  }

  #steward(call: Call): SiteId {
    const found = this.#sites.roleOf(call.sender)
    return found?.role === 'Steward' ? found.site : revert('StudyRegistry_NotSteward', { caller: call.sender })
  }
}

/** As many turns passed as members come before. */
function checkTurn(call: Call, study: Study, newest: EpochRecord, site: SiteId, members: Bitmap): void {
  const newcomers = study.reported ? EMPTY : without(members, newest.members)
  const place = placeToDraw({ members, newcomers, publisher: study.publisher, drawers: study.drawers }, site)
  if (call.timestamp < study.since + place * TURN_SECONDS) revert('StudyRegistry_NotItsTurn', { study: study.id, epoch: newest.epoch + 1, site, place })
}
