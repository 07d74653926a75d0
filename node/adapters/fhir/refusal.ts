import { type ErrorCode, RotaError } from '#base/errors.ts'
import { type FhirReason, type Said, say } from './reasons.ts'

/** A number of the catalogue and the FHIRPath that it is about. */
export const refused = (code: ErrorCode, path: string, reason: FhirReason | Said): RotaError => new RotaError(code, { path, reason })

/** `['provision', 'provision', 0]` → `Consent.provision.provision[0]`. */
export const fhirPath = (root: string, path: readonly PropertyKey[]): string =>
  path.reduce<string>((text, part) => (typeof part === 'number' ? `${text}[${part}]` : `${text}.${String(part)}`), root)

/** What a message may repeat of a file: a code, a URL; never free text, which may name a person. */
export const sayable = (text: string): Said => (/^[\w.:/#|+-]{1,120}$/.test(text) ? (text as Said) : say('not a code'))
