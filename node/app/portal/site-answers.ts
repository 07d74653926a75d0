import { agreedTo } from '#adapters/cohort/consent-desk.ts'
import { hasEnded } from '#adapters/cohort/consent-end.ts'
import type { ConsentEntry } from '#adapters/cohort/consent-store.ts'
import { issuerAt } from '#app/consent/receipt-issue.ts'
import type { AtSite } from '#app/site/at-site.ts'
import { RotaError } from '#base/errors.ts'
import type { Digest } from '#base/ids.ts'
import type { Again, GivenAgain, OnChain, ProvenRounds } from '#patient/portal-api.ts'
import type { SignedRequest } from '#patient/request.ts'
import type { Clock } from '#ports/host.ts'
import { programmeId } from '#wire/programme.ts'
import { sha256 } from '../sha256.ts'

/** What a portal does for the patients of its own site. */
export interface SiteAnswers {
  /** Programmes under which this site has consents. */
  names(): Promise<readonly string[]>
  /** Whose consent it is. @throws ROTA-6508 */
  known(programme: Digest, tag: Digest): Promise<KnownConsent>
  /** What the site's record says of this one consent. */
  record(known: KnownConsent, tag: Digest): Promise<ProvenRounds['record']>
  /** The site's own stop, before anything is on chain. False: it is not one of its consents, or was stopped before. */
  stopNow(programme: Digest, tag: Digest): Promise<boolean>
  /** @throws ROTA-6508, 6509, 6519 */
  again(request: SignedRequest, onChain: OnChain | null, next: Omit<Again, 'request'>): Promise<GivenAgain>
}

export interface KnownConsent {
  readonly programme: string
  readonly patient: Digest
}

export function siteAnswers(site: AtSite, clock: Pick<Clock, 'nowMs'>): SiteAnswers {
  const { consents } = site.folder
  const isoNow = (): string => new Date(clock.nowMs()).toISOString()
  const find = async (programme: Digest, tag: Digest): Promise<KnownConsent | null> => {
    const name = (await consents.programmes()).find((each) => programmeId(each, sha256) === programme)
    const patient = name === undefined ? undefined : await consents.patientOf(name, tag)
    return name === undefined || patient === undefined ? null : { programme: name, patient }
  }
  const known = async (programme: Digest, tag: Digest): Promise<KnownConsent> => {
    const found = await find(programme, tag)
    if (found === null) throw new RotaError('ROTA-6508')
    return found
  }
  return {
    names: () => consents.programmes(),
    known,
    async record({ programme, patient }, tag) {
      const entries = (await consents.entriesOf(patient)).filter((entry) => entry.programme === programme)
      const last = entries.findLast((entry) => entry.tag === tag)
      const until = last?.kind === 'granted' ? (last.until ?? null) : null
      if (until !== null && hasEnded(until, clock.nowMs())) return { state: 'ended', at: until }
      return { state: last?.kind ?? 'withdrawn', at: last?.at ?? isoNow(), again: isByCard(entries.at(-1), tag) }
    },
    async stopNow(programme, tag) {
      const found = await find(programme, tag)
      const standing = found === null ? undefined : (await consents.standings(found.programme)).get(found.patient)
      if (found === null || standing?.tag !== tag || standing.state !== 'granted') return false
      await consents.append([{ kind: 'withdrawn', patient: found.patient, programme: found.programme, tag, at: isoNow(), by: 'card' }])
      return true
    },
    async again({ programme, tag, what, at: askedAt, signature }, onChain, next) {
      const { programme: name, patient } = await known(programme, tag)
      const last = (await consents.entriesOf(patient)).findLast((entry) => entry.programme === name)
      if (!isByCard(last, tag) || onChain === null || next.tag === tag) throw new RotaError('ROTA-6509')
      const granted = { programme: name, tag: next.tag, oneTimeAddress: next.oneTimeAddress, grantedAt: isoNow() }
      const receipt = (await issuerAt(site, name)).content(granted)
      const newest = receipt.terms?.agreed.version
      if (next.terms !== undefined && next.terms !== newest) throw new RotaError('ROTA-6519', { programme: name, shown: next.terms, newest: newest ?? 'none' })
      const { grantedAt: at, ...keys } = granted
      await consents.append([{ kind: 'granted', patient, ...keys, at, ...agreedTo(receipt.terms), asked: { by: tag, what, at: askedAt, signature } }])
      return { receipt }
    },
  }
}

/** Whoever finds a lost card must not undo what its owner did at the desk, nor give again what was given again. @param last of the patient's entries */
const isByCard = (last: ConsentEntry | undefined, tag: Digest): boolean =>
  last !== undefined && last.tag === tag && (last.kind === 'granted' || last.by !== undefined)
