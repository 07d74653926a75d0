import { appErrors } from './errors/app.ts'
import { canaryErrors } from './errors/canary.ts'
import { chainErrors } from './errors/chain.ts'
import { consentErrors } from './errors/consent.ts'
import { dataErrors } from './errors/data.ts'
import { deskErrors } from './errors/desk.ts'
import { fhirErrors } from './errors/fhir.ts'
import { maskingErrors } from './errors/masking.ts'
import { networkErrors } from './errors/network.ts'
import { numberErrors } from './errors/numbers.ts'
import { portalErrors } from './errors/portal.ts'
import { privacyErrors } from './errors/privacy.ts'
import { privateErrors } from './errors/private.ts'
import { roundErrors } from './errors/rounds.ts'
import { siteErrors } from './errors/site.ts'

/**
 * What the caller should do about it.
 * retry: the same call may succeed later. ignore: late or duplicate, nothing is lost.
 * reject: the sender or input is at fault and is named. stop: a person has to act.
 */
export type Reaction = 'retry' | 'ignore' | 'reject' | 'stop'

export interface ErrorEntry {
  /** What happened, with {placeholders} for the offending values. */
  readonly what: string
  /** What the person at 3 a.m. does about it. */
  readonly remedy: string
  readonly reaction: Reaction
}

/**
 * Every error that a person can meet, by number; a file per area under errors/.
 * 1xxx app and command line, 2xxx numbers, 3xxx data and training, 4xxx network and store, 5xxx chain and rounds, 6xxx consent and audit.
 */
export const catalogue = {
  ...appErrors,
  ...siteErrors,
  ...canaryErrors,
  ...numberErrors,
  ...privacyErrors,
  ...privateErrors,
  ...maskingErrors,
  ...dataErrors,
  ...networkErrors,
  ...chainErrors,
  ...roundErrors,
  ...consentErrors,
  ...fhirErrors,
  ...portalErrors,
  ...deskErrors,
} as const satisfies Record<string, ErrorEntry>

export type ErrorCode = keyof typeof catalogue

/** Values for the placeholders. Never a patient's row, name or identifier. */
export type ErrorDetails = Readonly<Record<string, string | number | bigint | boolean>>

/** As JSON takes them, and texts of other languages. */
export const plainDetails = (details: ErrorDetails): Readonly<Record<string, string | number>> =>
  Object.fromEntries(Object.entries(details).map(([name, value]) => [name, typeof value === 'number' ? value : String(value)]))

export class RotaError extends Error {
  override readonly name = 'RotaError'
  readonly code: ErrorCode
  readonly details: ErrorDetails

  constructor(code: ErrorCode, details: ErrorDetails = {}, cause?: unknown) {
    super(fill(catalogue[code].what, details), cause === undefined ? undefined : { cause })
    this.code = code
    this.details = details
  }

  get reaction(): Reaction {
    return catalogue[this.code].reaction
  }

  get remedy(): string {
    return fill(catalogue[this.code].remedy, this.details)
  }

  /** 2 for a mistake in the command line or files given, 3 for what may pass (retry), 4 for all that needs a person. */
  get exitCode(): number {
    if (this.reaction === 'retry') return 3
    return this.reaction === 'reject' ? 2 : 4
  }
}

export const isRotaError = (error: unknown, code?: ErrorCode): error is RotaError => error instanceof RotaError && (code === undefined || error.code === code)

const fill = (text: string, details: ErrorDetails): string => text.replace(/\{(\w+)\}/g, (whole, key) => (key in details ? String(details[key]) : whole))

/** What a log may hold of an error that was thrown: a code, or its class. Free text of exceptions may hold anything. */
export const nameOf = (error: unknown): string => (error instanceof RotaError ? error.code : error instanceof Error ? error.name : typeof error)
