import { sitesOf } from '#base/bitmap.ts'
import { type Address, address, attemptNo, type Bitmap, type Digest, digest, roundNo, runId, siteId, studyId } from '#base/ids.ts'
import { type EpochRecord, PHASES, type RoundView, RUN_STATES, type RunView, SITE_STATES, type SiteRecord, type StudyRecord } from '#ports/chain.ts'

/** What the contracts' views give, decoded by ethers (structs by field name, numbers as bigint), in the port's words. */
export type Struct = Readonly<Record<string, unknown>>

/** Stands on chain where there is no site to name. */
export const NO_SITE = 65_535

export const MODES = ['open', 'masked', 'groups'] as const

export const numberOf = (value: unknown): number => Number(value)
export const digestOf = (value: unknown): Digest => digest(String(value))
export const addressOf = (value: unknown): Address => address(String(value))
/** Null where the contract has no account to name. */
export const accountOf = (value: unknown): Address | null => (BigInt(String(value)) === 0n ? null : addressOf(value))
export const bitmapOf = (value: unknown): Bitmap => value as Bitmap
export const siteOf = (value: unknown) => siteId(Number(value))
export const placeIn = <T>(words: readonly T[], value: unknown): T => words[Number(value)] as T
const structOf = (value: unknown): Struct => value as Struct
const listOf = (value: unknown): readonly unknown[] => [...(value as Iterable<unknown>)]

export function siteRecord(view: Struct): SiteRecord {
  const details = structOf(view.details)
  return {
    id: siteOf(view.id),
    name: String(details.name),
    state: placeIn(SITE_STATES, view.state),
    node: addressOf(details.node),
    steward: addressOf(details.steward),
    recovery: addressOf(details.recovery),
    peerId: String(details.peerId),
    encryptionKey: digestOf(details.encryptionKey),
    multiaddrs: listOf(details.multiaddrs).map(String),
  }
}

export function studyRecord(view: Struct): StudyRecord {
  const rules = structOf(view.rules)
  return {
    id: studyId(numberOf(view.id)),
    publisher: siteOf(view.publisher),
    protocolDigest: digestOf(view.protocolDigest),
    protocolCid: digestOf(view.protocolCid),
    approved: bitmapOf(view.approved),
    rules: {
      minSites: numberOf(rules.minSites),
      quorum: numberOf(rules.quorum),
      maxRounds: numberOf(rules.maxRounds),
      wordBits: numberOf(rules.wordBits) as 32 | 64,
      slices: numberOf(rules.slices),
      mode: placeIn(MODES, rules.mode),
      exact: Boolean(rules.exact),
      limits: listOf(rules.limits).map((limit) => ({ seconds: numberOf(structOf(limit).seconds_), blocks: numberOf(structOf(limit).blocks) })),
      arithmeticVersion: digestOf(rules.arithmeticVersion),
    },
    epoch: epochRecord(structOf(view.epoch)),
  }
}

export const epochRecord = (view: Struct): EpochRecord => ({
  epoch: numberOf(view.epoch),
  commitment: digestOf(view.commitment),
  bundle: digestOf(view.bundle),
  members: bitmapOf(view.members),
  reported: Boolean(view.reported),
})

export const runView = (view: Struct): RunView => ({
  run: runId(numberOf(view.run)),
  study: studyId(numberOf(view.study)),
  state: placeIn(RUN_STATES, view.state),
  round: roundView(structOf(view.round)),
  model: { root: digestOf(view.modelRoot), cid: digestOf(view.modelCid) },
  closedRounds: numberOf(view.closedRounds),
  voidsInARow: numberOf(view.voidsInARow),
  ready: bitmapOf(view.ready),
})

function roundView(view: Struct): RoundView {
  const attempt = attemptNo(numberOf(view.attempt))
  const publisher = numberOf(view.publisher)
  const publication = { attempt, publisher: siteId(publisher), sumRoot: digestOf(view.sumRoot), sumCid: digestOf(view.sumCid) }
  return {
    round: roundNo(numberOf(view.round)),
    phase: placeIn(PHASES, view.phase),
    attempt,
    rota: sitesOf(bitmapOf(view.rota)),
    turn: numberOf(view.turn),
    openedAtBlock: numberOf(view.openedAtBlock),
    epoch: numberOf(view.epoch),
    since: { block: numberOf(view.sinceBlock), timestamp: numberOf(view.sinceTimestamp) },
    extended: Boolean(view.extended),
    awaited: bitmapOf(view.awaited),
    keyed: bitmapOf(view.keyed),
    justifying: Boolean(view.justifying),
    justified: bitmapOf(view.justified),
    threshold: Number(view.threshold),
    contributed: bitmapOf(view.contributed),
    abstained: bitmapOf(view.abstained),
    custodianPlaces: listOf(view.custodianPlaces).map(numberOf),
    witnessed: listOf(view.witnessed).map(bitmapOf),
    included: bitmapOf(view.included),
    firstPlace: numberOf(view.firstPlace),
    publications: numberOf(view.publications),
    publication: publisher === NO_SITE ? null : publication,
    attested: bitmapOf(view.attested),
  }
}
