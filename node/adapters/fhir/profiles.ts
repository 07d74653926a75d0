/** A profile may be named with its version: `url|1.0`. R4's own definition of the type is no profile. */
export function isKnownProfile(profile: string, type: 'Consent' | 'Bundle', known: readonly string[]): boolean {
  const url = profile.split('|')[0] ?? ''
  return url === `http://hl7.org/fhir/StructureDefinition/${type}` || known.includes(profile) || known.includes(url)
}
