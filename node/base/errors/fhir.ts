import type { ErrorEntry } from '../errors.ts'

/** FHIR Consent in and out. {path} is a FHIRPath; what a resource says of a person is never repeated. */
export const fhirErrors = {
  'ROTA-6050': {
    what: '{file} is no FHIR R4 JSON that can be read here ({reason})',
    remedy:
      'Give one Consent, a Bundle (collection, searchset, transaction, batch) with all its pages, or NDJSON with one resource a line. XML is to be converted first.',
    reaction: 'reject',
  },
  'ROTA-6051': {
    what: '{path} cannot be read as a consent of FHIR R4 ({reason})',
    remedy: 'Check the version of FHIR (R4, 4.0.1) and the spelling of the element; a validator of FHIR names the rest.',
    reaction: 'reject',
  },
  'ROTA-6052': {
    what: '{path} is not the patient that it came with ({reason})',
    remedy: 'Ask whoever made the file: a consent filed under the wrong person must not count for either.',
    reaction: 'reject',
  },
  'ROTA-6053': {
    what: '{path} is one of several consents of one patient that are in force at once, or that contradict each other ({reason})',
    remedy: 'Let the clinical system end all but the one that holds (status inactive), and export again.',
    reaction: 'reject',
  },
  'ROTA-6054': {
    what: '{path} names a profile that is not known here ({reason})',
    remedy: 'Read what the profile changes; where it fits, list its URL under `profiles` in the mapping.',
    reaction: 'reject',
  },
  'ROTA-6055': {
    what: '{path} is a code that is not known here ({reason})',
    remedy: 'Say in the mapping what the code means for this programme (scopes, categories, purposes, policies, codes), or record this consent at the desk.',
    reaction: 'reject',
  },
  'ROTA-6056': {
    what: '{path} changes the meaning of the rest in a way that is not known here ({reason})',
    remedy: 'Such a consent can only be recorded by a person who has read it: rota consent record, or rota consent withdraw.',
    reaction: 'reject',
  },
  'ROTA-6057': {
    what: '{path} restricts the consent to a part ({reason}); a record is used as a whole or not at all',
    remedy:
      'Ask the patient for the whole or leave the record out. Where the part is all that the programme uses, say so in the mapping (codes, purposes, actions).',
    reaction: 'reject',
  },
  'ROTA-6058': {
    what: '{path} does not lead to the name by which this site knows the patient ({reason})',
    remedy: 'Set `patient.system` in the mapping to the system of that identifier, and put the Patient resources into the file or beside it (--patients).',
    reaction: 'reject',
  },
  'ROTA-6059': {
    what: '{path} says that this is a consent to something else ({reason})',
    remedy: 'Leave it out of the file, or list its policy, scope or organisation in the mapping if it is about this programme after all.',
    reaction: 'reject',
  },
  'ROTA-6060': {
    what: '{path} is no date that could be ({reason})',
    remedy: 'Correct it where it was entered; dates are read as FHIR R4 writes them, days without a time zone in UTC.',
    reaction: 'reject',
  },
  'ROTA-6061': {
    what: '{path} does not say that this consent was given after the withdrawal that stands here ({reason})',
    remedy: 'A withdrawal is undone only by a later consent. Let the patient consent again, or record it at the desk.',
    reaction: 'reject',
  },
  'ROTA-6062': {
    what: '{refused} of {total} consents in {file} cannot be taken, so none was',
    remedy: 'Correct what is listed and import again, or take the rest with --partial.',
    reaction: 'reject',
  },
  'ROTA-6063': {
    what: 'the mapping for FHIR says {path} twice ({reason})',
    remedy: 'A code, policy or organisation can mean one thing only: take it out of one of the lists.',
    reaction: 'reject',
  },
  'ROTA-6064': {
    what: '{path} says that this consent was not verified, or was given by somebody who could not ({reason})',
    remedy: 'Verify it with the patient, correct the resource, and import again.',
    reaction: 'reject',
  },
} as const satisfies Record<string, ErrorEntry>
