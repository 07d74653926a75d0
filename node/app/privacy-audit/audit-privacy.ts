import { sha256 } from '#app/sha256.ts'
import type { Digest } from '#base/ids.ts'
import type { SplitTable } from '#core/model/table.ts'
import { hidesUpdates, type PrivacySpec, type Protocol } from '#core/protocol/protocol.ts'
import { protocolDigest } from '#wire/protocol.ts'
import { canaryAttack } from './canary-attack.ts'
import { differencingAttack } from './differencing-attack.ts'
import { ATTACKS, type AttackName, type Evidence, isEvidence, type NotTried, type Outcome } from './evidence.ts'
import { inversionAttack } from './inversion-attack.ts'
import { type LabTools, openLab, rowsAt } from './lab.ts'
import { matchingAttack } from './matching-attack.ts'
import { membershipAttack } from './membership-attack.ts'
import { propertyAttack } from './property-attack.ts'

export interface PrivacyQuestion {
  readonly protocol: Protocol
  readonly tables: ReadonlyMap<string, SplitTable>
  /** Usual: all that are quick. */
  readonly attacks?: readonly AttackName[]
  readonly models: number
  readonly trials: number
}

/** What attacks on a study's rows and learner found. */
export interface PrivacyEvidence {
  readonly title: string
  /** Of the protocol that was attacked. */
  readonly protocolDigest: Digest
  readonly mode: Protocol['mode']
  readonly privacy: PrivacySpec | null
  /** Whose rows were attacked: those of the smallest site, which has the most to lose. */
  readonly site: string
  readonly patients: number
  readonly found: readonly Evidence[]
  readonly notTried: readonly NotTried[]
  /** Something is promised, each attack works on what is not protected, and each figure that something is promised about is under its ceiling. */
  readonly holds: boolean
}

/** More rows make attacks slow and no stronger. */
const MOST_PATIENTS = 300
export const QUICK: readonly AttackName[] = ATTACKS.filter((attack) => attack !== 'matching')

/**
 * Runs each attack twice, with the protection that the study has and without, on the rows of one site and by the functions that nodes run.
 * @throws as the study's learner does
 */
export async function auditPrivacy({ protocol, tables, attacks = QUICK, models, trials }: PrivacyQuestion, tools: LabTools): Promise<PrivacyEvidence> {
  const [site, { train }] = [...tables].reduce((least, other) => (other[1].train.rows < least[1].train.rows ? other : least))
  const rows = rowsAt(
    train,
    Array.from({ length: Math.min(MOST_PATIENTS, train.rows) }, (_, i) => i),
  )
  const lab = openLab(protocol, site, rows, tools)
  const { mode } = protocol
  const ways: Readonly<Record<AttackName, () => Promise<Outcome | readonly Outcome[]>>> = {
    inversion: () => inversionAttack(lab, mode),
    matching: () => matchingAttack(lab, mode),
    // The same models serve both.
    loss: () => membershipAttack(lab, models, attacks.includes('likelihood') ? ['loss', 'likelihood'] : ['loss']),
    likelihood: async () => (attacks.includes('loss') ? [] : membershipAttack(lab, models, ['likelihood'])),
    property: () => propertyAttack(lab, mode),
    canary: () => canaryAttack(lab, trials),
    differencing: () => differencingAttack(lab),
  }
  const outcomes: Outcome[] = []
  for (const attack of ATTACKS.filter((name) => attacks.includes(name))) {
    tools.tell?.(attack)
    outcomes.push(...[await ways[attack]()].flat())
  }
  const found = outcomes.filter(isEvidence)
  const privacy = protocol.privacy ?? null
  return {
    title: protocol.title,
    protocolDigest: protocolDigest(protocol, sha256),
    mode,
    privacy,
    site,
    patients: rows.rows,
    found,
    notTried: outcomes.filter((outcome): outcome is NotTried => !isEvidence(outcome)),
    holds: isHeld({ mode, privacy, found }),
  }
}

/** Attacks that ask the released model about one patient: what epsilon bounds. */
const OF_EPSILON: readonly AttackName[] = ['loss', 'likelihood', 'canary']

/** Whether one of them was tried where an epsilon is promised: masks alone say nothing about it. */
export const isEpsilonMeasured = ({ privacy, found }: Pick<PrivacyEvidence, 'privacy' | 'found'>): boolean =>
  privacy === null || found.some(({ attack, ceiling, protected: guarded }) => OF_EPSILON.includes(attack) && ceiling !== null && guarded !== null)

/** Neither tried nor told why not: not asked for. */
export const leftOutOf = ({ found, notTried }: Pick<PrivacyEvidence, 'found' | 'notTried'>): readonly AttackName[] =>
  ATTACKS.filter((name) => ![...found, ...notTried].some(({ attack }) => attack === name))

/** Whether what is promised holds, as far as these attacks can tell. */
export function isHeld({ mode, privacy, found }: Pick<PrivacyEvidence, 'mode' | 'privacy' | 'found'>): boolean {
  const isPromising = found.some(({ ceiling }) => ceiling !== null) && (hidesUpdates({ mode }) || privacy !== null)
  return isPromising && isEpsilonMeasured({ privacy, found }) && found.every(({ verdict }) => verdict === 'under its ceiling' || verdict === 'nothing promised')
}
