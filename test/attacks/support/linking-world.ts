import { createHmac } from 'node:crypto'
import { cohortMap, cohortSecret, grantedMap } from '#adapters/cohort/site-maps.ts'
import { addressOf, digestOf } from '#adapters/sim/hash.ts'
import { SimRandom } from '#adapters/sim/random.ts'
import { drawDelay } from '#app/portal/relay-delay.ts'
import { inTransactions } from '#app/portal/relay-transactions.ts'
import { sha256 } from '#app/sha256.ts'
import { toDigest, utf8 } from '#base/bytes.ts'
import { type Digest, roundNo, runId } from '#base/ids.ts'
import { cohortEntry } from '#core/consent/cohort-map.ts'
import { buildKeyedMap } from '#core/consent/keyed-map.ts'
import type { Vault } from '#ports/vault.ts'
import { keptRoots, PROGRAMME, TERMS } from './kept-roots.ts'

/** How hospitals and relays keep what they know from whoever reads the chain. */
export interface Habits {
  /** Roots over consents come at fixed steps, changed or not, over padded maps with an epoch's own padding; or at once, whenever something changed. */
  readonly cadence: boolean
  /** Cohorts' roots are another in each round, over padded maps; or the plain map's. */
  readonly padding: boolean
  /** Withdrawals wait for a drawn time at a relay and leave in batches of throw-away accounts; or go on chain at once, one by one, from the hospital's. */
  readonly relays: boolean
  /** Exact runs go on all year, each stopped by the hospital whose patient withdraws. */
  readonly exactRuns: boolean
}

export const PROTECTED: Habits = { cadence: true, padding: true, relays: true, exactRuns: false }
export const BARE: Habits = { cadence: false, padding: false, relays: false, exactRuns: false }

export const HOSPITALS = 5
const PATIENTS = 2_000
const DAY_S = 86_400
const YEAR_S = 365 * DAY_S
const START_S = Date.UTC(2026, 0, 1) / 1000
const ROUND_EVERY_S = 5 * DAY_S
/** Of those who consent, this share withdraws within the year. */
const WITHDRAWING = 0.4
/** By page or card; the others at the desk, which leaves no tag on chain. */
const BY_TAG = 0.85

/** What anybody sees who reads the chain. Hospitals are alike in size and habits: that the larger one has more patients is no secret. */
export interface Observed {
  readonly roots: readonly { readonly hospital: number; readonly epoch: number; readonly root: Digest; readonly atS: number }[]
  readonly contributions: readonly { readonly hospital: number; readonly round: number; readonly root: Digest; readonly atS: number }[]
  /** One transaction each. */
  readonly batches: readonly { readonly sender: string; readonly tags: readonly Digest[]; readonly atS: number }[]
  readonly halts: readonly { readonly hospital: number; readonly atS: number }[]
  /** Accounts of the hospitals' nodes, which the registry names. */
  readonly accounts: readonly string[]
}

/** A round takes seconds, and the next in turn leads the next. */
const EXACT_ROUND_S = 20

/**
 * The same halts where patients may rest: by whoever leads just then. That it does, whoever's patient it was, and that no hospital is missed before
 * and after, shows test/rounds/halted-for-others.test.ts.
 */
export const byLeaders = (halts: Observed['halts']): Observed['halts'] =>
  halts.map(({ atS }) => ({ hospital: Math.floor(atS / EXACT_ROUND_S) % HOSPITALS, atS }))

/** What nobody may find out. */
export interface Secret {
  readonly tags: ReadonlyMap<Digest, { readonly hospital: number; readonly grantedS: number }>
  readonly grants: readonly { readonly hospital: number; readonly atS: number }[]
}

export interface Patient {
  readonly hospital: number
  readonly tag: Digest
  readonly grantedS: number
  /** Null: within the year they do not. */
  readonly withdrawnS: number | null
  readonly byTag: boolean
}

/** A year of five hospitals: who consents and withdraws when is the same whatever their habits are. */
export async function playYear(seed: string, habits: Habits): Promise<{ readonly observed: Observed; readonly secret: Secret }> {
  const random = new SimRandom(`a year, ${seed}`)
  const patients = drawPatients(random.fork('patients'))
  const hospitals = Array.from({ length: HOSPITALS }, (_, hospital) => patients.filter((patient) => patient.hospital === hospital))
  const vaults = hospitals.map((_, hospital) => keyed(`${seed} ${hospital}`))
  const jitter = random.fork('jitter')
  const leaving = patients.filter((patient) => patient.withdrawnS !== null)
  const batches = batchesOf(
    leaving.filter(({ byTag }) => byTag),
    habits,
    random.fork('relays'),
  )
  const roots = hospitals.map((of, hospital) => rootsOf({ of, hospital, vault: vaults[hospital] as Keyed, batches }, habits, jitter))
  return {
    observed: {
      roots: (await Promise.all(roots)).flat(),
      contributions: hospitals.flatMap((of, hospital) => contributionsOf(of, hospital, vaults[hospital] as Keyed, habits, jitter)),
      batches,
      halts: habits.exactRuns ? leaving.map(({ hospital, withdrawnS }) => ({ hospital, atS: (withdrawnS as number) + 1 + jitter.fraction() })) : [],
      accounts: hospitals.map((_, hospital) => accountOf(hospital)),
    },
    secret: {
      tags: new Map(leaving.flatMap(({ tag, hospital, grantedS, byTag }) => (byTag ? [[tag, { hospital, grantedS }] as const] : []))),
      grants: patients.map(({ hospital, grantedS }) => ({ hospital, atS: grantedS })),
    },
  }
}

/** Who withdraws does so at any time after consenting, each alike: how soon people change their minds is nobody's to hide. */
function drawPatients(random: SimRandom): Patient[] {
  const moment = (): number => START_S + random.fraction() * (YEAR_S - 4 * DAY_S)
  return Array.from({ length: PATIENTS }, (_, i) => {
    const [first, second] = [moment(), moment()]
    const who = { hospital: i % HOSPITALS, tag: digestOf('tag', i, random.int(0, 2 ** 30)), byTag: random.chance(BY_TAG) }
    return random.chance(WITHDRAWING)
      ? { ...who, grantedS: Math.min(first, second), withdrawnS: Math.max(first, second) }
      : { ...who, grantedS: first, withdrawnS: null }
  })
}

const standingAt = (of: readonly Patient[], atS: number): Digest[] =>
  of.filter(({ grantedS, withdrawnS }) => grantedS <= atS && (withdrawnS === null || withdrawnS > atS)).map(({ tag }) => tag)

interface Hospital {
  readonly of: readonly Patient[]
  readonly hospital: number
  readonly vault: Keyed
  readonly batches: Observed['batches']
}

async function rootsOf({ of, hospital, vault, batches }: Hospital, { cadence, padding }: Habits, jitter: SimRandom): Promise<Observed['roots']> {
  if (cadence) return (await keptRoots({ patients: of, vault, batches, fromS: START_S, toS: START_S + YEAR_S }, jitter)).map((root) => ({ hospital, ...root }))
  const changes = of.flatMap(({ grantedS, withdrawnS }) => [grantedS, ...(withdrawnS === null ? [] : [withdrawnS])]).sort((a, b) => a - b)
  return changes.map((atS, i) => {
    const epoch = i + 1
    const root = padding ? toDigest(grantedMap(vault, PROGRAMME, standingAt(of, atS), epoch).root) : digestOf('root', hospital, ...standingAt(of, atS))
    // A node looks every few seconds.
    return { hospital, epoch, root, atS: atS + 5 * jitter.fraction() }
  })
}

function contributionsOf(of: readonly Patient[], hospital: number, vault: Keyed, { padding }: Habits, jitter: SimRandom): Observed['contributions'] {
  const rounds = Array.from({ length: Math.floor(YEAR_S / ROUND_EVERY_S) }, (_, i) => i + 1)
  return rounds.map((round) => {
    const openedS = START_S + round * ROUND_EVERY_S - DAY_S / 2
    const members = standingAt(of, openedS)
    const root = padding ? cohortMap(vault, PROGRAMME, members, placeOf(round)).root : plainRoot(vault, members)
    // Training takes a minute or so, and longer where more patients are.
    return { hospital, round, root: toDigest(root), atS: openedS + 60 + 0.05 * members.length + 20 * jitter.fraction() }
  })
}

const NETWORK = sha256(utf8('a network'))
const placeOf = (round: number) => ({ network: NETWORK, run: runId(1), round: roundNo(round) })

/** Neither padded nor another in each round: it says when a cohort changed. */
const plainRoot = (vault: Keyed, members: readonly Digest[]): Uint8Array =>
  buildKeyedMap(
    members.map((member) => cohortEntry(cohortSecret(vault, PROGRAMME, member), placeOf(1), sha256)),
    sha256,
  ).root

/** The page asks the own hospital's relay first, which stops at once; each relay sends what is due by accounts that are made for it. */
function batchesOf(leaving: readonly Patient[], { relays }: Habits, random: SimRandom): Observed['batches'] {
  if (!relays)
    return leaving.map(({ hospital, tag, withdrawnS }) => ({ sender: accountOf(hospital), tags: [tag], atS: (withdrawnS as number) + 2 * random.fraction() }))
  const due = leaving.map(({ hospital, tag, withdrawnS }) => {
    const delay = drawDelay(1000 * (withdrawnS as number), TERMS.relayDelayHours * 3_600_000, random)
    return { tag, relay: hospital, atS: delay.due / 1000 }
  })
  const together = Map.groupBy(due, ({ relay, atS }) => `${relay} ${atS}`)
  return [...together.values()].flatMap((ofRelay) =>
    inTransactions(ofRelay.toSorted((a, b) => (a.tag < b.tag ? -1 : 1))).map((batch) => ({
      sender: addressOf('throw-away', random.int(0, 2 ** 31)),
      tags: batch.map(({ tag }) => tag),
      atS: (batch[0] as (typeof batch)[0]).atS + 2 * random.fraction(),
    })),
  )
}

const accountOf = (hospital: number): string => addressOf('node', hospital)

type Keyed = Pick<Vault, 'keyedDigest'>

/** The vault's keyed digest, each computed once. */
function keyed(secret: string): Keyed {
  const known = new Map<string, Digest>()
  return {
    keyedDigest(purpose, ...parts) {
      const mac = createHmac('sha256', secret).update(`${purpose}\0`)
      const name = `${purpose} ${parts.map((part) => Buffer.from(part).toString('latin1')).join('/')}`
      const digest = known.get(name) ?? toDigest(new Uint8Array(parts.reduce((all, part) => all.update(part), mac).digest()))
      known.set(name, digest)
      return digest
    },
  }
}
