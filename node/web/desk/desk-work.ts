import type { Digest } from '#base/ids.ts'
import type { DeskAct, DeskProgramme, ImportAnswer, ImportFile, Person, TellsProblem } from '#wire/desk-api.ts'

/** Something to print and hand over. It may hold the patient's secret: in memory only, and for a while. */
export interface Printable {
  readonly patient: string
  /** A whole page that needs nothing else. */
  readonly html: string
}

export interface DeskRecorded extends TellsProblem {
  readonly tag: Digest
  readonly print: Printable
}

export interface DeskWithdrew extends TellsProblem {
  readonly tag: Digest | null
  readonly inData: boolean | null
  readonly print: Printable
}

/** Nothing was changed by it; `problem`: it is not countersigned. */
export interface DeskConfirmed extends TellsProblem {
  readonly print: Printable
}

/** What a site does for the desk. Each call is one act; who may ask is not its business. */
export interface DeskWork {
  readonly siteName: string
  digestOf(patient: string): Digest
  programmes(): Promise<readonly DeskProgramme[]>
  find(patient: string): Promise<Person>
  /** @throws ROTA-6003 a consent stands already, 5xxx the chain is away */
  record(act: DeskAct): Promise<DeskRecorded>
  /** Stops the use here at once, whatever the chain does. @throws ROTA-6004 nothing to withdraw */
  withdraw(act: DeskAct): Promise<DeskWithdrew>
  /** The paper of a withdrawal that was made before, by whichever road. @throws ROTA-6030 the consent stands, 6031 there is none */
  confirm(act: DeskAct): Promise<DeskConfirmed>
  /** Changes nothing. @throws ROTA-6050, 6054 a file that is none of FHIR */
  previewImport(file: ImportFile): Promise<ImportAnswer>
  /** Takes what can be taken; what is refused is in the answer. */
  importConsents(file: ImportFile): Promise<ImportAnswer & { readonly prints: readonly Printable[] }>
}
