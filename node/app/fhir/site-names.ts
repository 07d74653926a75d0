import { patientDigest } from '#adapters/cohort/patient-digest.ts'
import type { OwnNames } from '#adapters/fhir/fhir-mapping.ts'
import type { AtSite } from '#app/site/at-site.ts'
import { networkOf } from '#app/site/site-cohort.ts'
import { fromHex, toHex, utf8 } from '#base/bytes.ts'
import type { Digest } from '#base/ids.ts'
import type { Vault } from '#ports/vault.ts'
import { programmeId } from '#wire/programme.ts'
import { sha256 } from '../sha256.ts'

type Keyed = Pick<Vault, 'keyedDigest'>

/** What this site calls itself, its patients and a programme in FHIR, so that it knows its own exports again. */
export function ownNames(site: Pick<AtSite, 'folder' | 'chain' | 'own'>, programme: string): OwnNames & { readonly site: string } {
  const network = `urn:rota:${toHex(networkOf(site.folder, site.chain)).slice(2, 18)}`
  const own = `${network}:site:${site.own.id}`
  return {
    site: own,
    patients: `${own}:patient`,
    pseudonyms: `${own}:pseudonym`,
    policy: `${network}:programme:${programmeId(programme, sha256).slice(2, 34)}`,
  }
}

/** A patient whose name only the record's digest knows, in an export: another name than the digest by which cohorts are made. */
export const pseudonymOf = (vault: Keyed, patient: Digest): string => vault.keyedDigest('fhir-pseudonym', fromHex(patient)).slice(2, 34)

/** The id of what an export says of one patient under one programme: the same in every export. */
export const exportId = (vault: Keyed, what: string, programme: string, patient: Digest): string =>
  vault.keyedDigest('fhir-id', utf8(`${what}/${programme}/`), fromHex(patient)).slice(2, 34)

/** What the record keeps of the name that the hospital's system gives a Consent. */
export const consentKeyDigest = (vault: Keyed, key: string): Digest => vault.keyedDigest('fhir-consent', utf8(key))

export const nameDigest = (vault: Keyed, name: string): Digest => patientDigest(vault, name)
