/**
 * Why a Consent is refused, or what becomes of it, in English; values in {braces}. A sentence that is not here does not compile, and
 * the desk's page has each in every other language (keys `reason.…` of its languages).
 */
export const FHIR_REASONS = [
  // of a file
  'it is empty',
  'it is no JSON',
  'it has no resourceType',
  'it holds no Consent',
  'more than {mib} MiB: split it',
  '{place} holds no resource',
  'the element {element} is not as R4 has it',
  'a Bundle of type {type}',
  'the Bundle has a next page that is not in it',
  '{method} says nothing of how the consent stands',
  // of a Consent
  'not as R4 has it',
  'R4 has no such element',
  'R4 wants something there',
  'R4 wants another kind of value there',
  'R4 has no such value there',
  'nested too deeply',
  'an extension changes what it means',
  'it was made under rules that are not in it',
  'not a code',
  'a text alone',
  'two actions in one',
  'it is missing',
  'not as R4 writes dates',
  'not a period that R4 knows, or it ends before it begins',
  'it is in the future',
  'another organisation manages it',
  'the policy {policy} is none of this programme',
  'R4 wants a policy or a policyRule: ppc-1',
  'R4 wants a type in every nested provision',
  'its policies permit and deny',
  'nothing says whether it permits or denies',
  'no type says what follows from {element}',
  'it permits what the provision leaves out, and nothing says which holds',
  'it holds for some of what the programme uses and not for the rest',
  'the mapping does not say whether this is us or somebody else',
  'we are neither keeper nor receiver in it',
  'nobody verified it',
  'another patient',
  // of a Patient
  'it is no Patient',
  'the Patient is not there',
  'it contains no such Patient',
  'the Patient is not as R4 has it',
  'the Patient is not in use any more, or was merged into another',
  'its id and its identifier are two names',
  'its reference and its identifier mean two patients',
  'it may mean more than one of the patients that came with it',
  'it is none of the patients that came with it',
  'no identifier of a system that names patients here',
  'none of them is of a system that names patients here',
  'more than one is of the system that names patients here',
  'a pseudonym of nobody in this record',
  'a consent is recorded under a name, not under a pseudonym',
  // beside what stands here, and the other Consents of the file
  'the same consent is in the file twice',
  'several are active',
  'one that has ended was not given before it',
  'the withdrawal lies within it',
  'a new consent',
  'given again after a withdrawal',
  'the one before has run out',
  'stands here already',
  'stands here already, until another day now',
  'another consent of this patient stands here',
  'another one speaks for this patient',
  'not the one that stands here',
  'nothing stands here',
  'withdrawn here since',
  'withdrawn already',
  'an objection',
  'it denies',
  'kept, so that no older copy brings it back',
  'its time has ended',
  'it begins at {moment}',
  'its status is {status}',
] as const

export type FhirReason = (typeof FHIR_REASONS)[number]

/** A sentence of the list with its values in, several of them, or a code that is the same in every language. */
export type Said = string & { readonly said: true }

export const say = (reason: FhirReason, values: Readonly<Record<string, string>> = {}): Said =>
  reason.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole) as Said

/** As one line; the page takes it apart where it is joined. */
export const sayAll = (...said: readonly Said[]): Said => said.join('; ') as Said
