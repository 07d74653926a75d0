import type { DemoCohort } from './cohort.ts'
import type { Ear } from './ear.ts'
import type { Hospital } from './hospital.ts'
import type { DemoOptions } from './options.ts'
import type { Rota } from './rota.ts'
import type { Stage } from './stage.ts'

/** What every act works with. */
export interface Scene {
  readonly options: DemoOptions
  readonly stage: Stage
  /** All that the play writes is in this folder. */
  readonly root: string
  readonly rota: Rota
  readonly ear: Ear
  readonly cohort: DemoCohort
}

/** What act 1 leaves: a network whose nodes run. */
export interface Network {
  readonly chain: string
  readonly contracts: string
  readonly hospitals: readonly Hospital[]
  readonly reader: Reader
}

/** The auditor's keystore; no hospital has a copy. */
export interface Reader {
  readonly keystore: string
  readonly passwordFile: string
  readonly encryptionKey: string
}

/** What act 2 leaves: approved protocols, and consents on record. */
export interface Studies {
  readonly programme: string
  readonly exact: number
  /** The same model by federated averaging: 100 rounds. */
  readonly averaged: number
  readonly neural: number
  /** Hospital → folder of its patients' receipts. */
  readonly receipts: ReadonlyMap<Hospital, string>
}
