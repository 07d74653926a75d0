import { Signature, sha256 } from 'ethers'
import { PROPOSAL_KINDS } from '#adapters/sim/chain/call.ts'
import { digestOf } from '#adapters/sim/hash.ts'
import { has, sitesOf } from '#base/bitmap.ts'
import { type Address, type Digest, type RunId, roundNo, type SiteId, siteId, ZERO_DIGEST } from '#base/ids.ts'
import { PHASES, type SiteRecord, type StudyRecord } from '#ports/chain.ts'
import type { Act, Pause } from './act.ts'
import { attestation, call, charge, heldDeals, justify } from './forward.ts'
import { OMBUDSMAN } from './patients.ts'
import type { Patient, Scene } from './scene.ts'
import type { AbiRules } from './sim-side.ts'

/** Ends just before, at, or after a third of the phase's limit, in seconds, in blocks or in both. */
export function pause(scene: Scene): Pause {
  const { random } = scene
  const view = scene.run()
  const limit = scene.sim.chain.study(view.study).rules.limits[PHASES.indexOf(view.round.phase)] as { seconds: number; blocks: number }
  const head = scene.sim.chain.head()
  const thirds = random.chance(0.5) ? 3 : random.int(1, 7)
  const left = (of: number, passed: number) => Math.ceil((of * thirds) / 3) - passed - 1 + random.int(-1, 1)
  const seconds = left(limit.seconds, head.timestamp - view.round.since.timestamp)
  const blocks = left(limit.blocks, head.number - view.round.since.block)
  return random.chance(0.25) ? { seconds: Math.max(1, seconds), blocks: 1 } : { seconds: Math.max(1, seconds), blocks: Math.max(1, blocks) }
}

/** A third of the limit passes in which nobody publishes, or all of them. */
export function lateness(scene: Scene): Pause {
  const { study, round } = scene.run()
  const vain = scene.temper.vain > 0 && scene.random.chance(scene.temper.vain)
  const thirds = vain ? Math.max(3, round.rota.length - round.firstPlace) : 1
  const limit = scene.sim.chain.study(study).rules.limits[PHASES.indexOf(round.phase)] as { seconds: number; blocks: number }
  return { seconds: Math.ceil((thirds * limit.seconds) / 3), blocks: Math.ceil((thirds * limit.blocks) / 3) }
}

/** A study's publisher says what it may spend: room for some contributions of a dataset, or words that cannot work. */
export function policy(scene: Scene, study: number, publisher: Address): Act {
  const { apart: random } = scene
  const lanes = (most: number) => Array.from({ length: 8 }, (_, i) => BigInt(random.int(1, most)) << BigInt(32 * i)).reduce((a, b) => a | b)
  const charge = lanes(1000)
  const rounds = BigInt(random.pick([1, 2, 5, 5, 40, 40]))
  const args = random.chance(0.9)
    ? [charge, charge * rounds]
    : random.pick([
        [0n, charge],
        [charge, 0n],
        [charge | (1n << 31n), charge],
        [charge, (1n << 255n) | charge],
      ])
  return { sender: publisher, contract: 'PrivacyLedger', method: 'setPolicy', args: [study, ...args] }
}

/** Charges and policies that are late, early, repeated, malformed or another's. Drawn apart, as they were added later. */
export function spending(scene: Scene): Act {
  const { apart: random, sites } = scene
  const { run, round } = scene.sim.chain.run(scene.runs as RunId)
  const site = random.pick(sites)
  const no = Math.max(0, round.round + random.pick([0, 0, 1, -1]))
  const wild = { sender: random.pick([site.node, site.node, site.steward]), contract: 'PrivacyLedger', method: 'charge' } as const
  return random.pick([
    () => charge(scene, site.id, run, no),
    () => ({ ...wild, args: [random.int(0, scene.runs + 1), no, random.pick([ZERO_DIGEST, digestOf('dataset', random.int(1, 2))])] }),
    () => ({ ...wild, args: [run, no, ZERO_DIGEST] }),
    () => policy(scene, random.int(0, scene.studies + 1), random.pick([site.node, site.node, site.steward])),
    () => policy(scene, scene.studies, (sites[scene.sim.chain.study(scene.studies as StudyRecord['id']).publisher] as SiteRecord).node),
  ])()
}

export const tick = (scene: Scene): Act => ({ sender: scene.anyAccount(), contract: 'RoundCoordinator', method: 'tick', args: [scene.run().run] })

/** Who belongs: stewards, keys, votes. */
export function membership(scene: Scene): Act {
  const { random } = scene
  const study = scene.study()
  const site = scene.anySite()
  const missing = scene.sites.find(({ id }) => !has(study.approved, id)) ?? site
  const steward = random.chance(0.9) ? site.steward : scene.anyAccount()
  const proposals = scene.sim.chain.contracts.sites.proposals
  const epochs = study.epoch.commitment === ZERO_DIGEST ? 0 : study.epoch.epoch + 1
  const act = (sender: Address, contract: Act['contract'], method: string, args: readonly unknown[]): Act => ({ sender, contract, method, args })
  const kinds: readonly (() => Act)[] = [
    () => act(steward, 'StudyRegistry', 'withdrawSite', [study.id]),
    () => act(steward, 'StudyRegistry', 'approve', [study.id, random.chance(0.9) ? study.protocolDigest : scene.digest('other')]),
    () => act(missing.steward, 'StudyRegistry', 'approve', [study.id, study.protocolDigest]),
    () => act(missing.steward, 'StudyRegistry', 'approve', [study.id, study.protocolDigest]),
    () => act(site.node, 'StudyRegistry', 'publishEpoch', [study.id, epochs, scene.digest('key'), scene.digest('bundle')]),
    () =>
      act(scene.anyAccount(), 'StudyRegistry', 'publishEpoch', [
        study.id,
        random.int(0, epochs + 1),
        random.pick([ZERO_DIGEST, scene.digest('key')]),
        scene.digest('bundle'),
      ]),
    () => act(scene.anyAccount(), 'StudyRegistry', 'reportEpoch', [study.id, Math.max(0, epochs - random.pick([1, 1, 2]))]),
    () => act(scene.anyAccount(), 'SiteRegistry', 'propose', [random.int(0, PROPOSAL_KINDS.length - 1), random.int(0, scene.sites.length)]),
    () => act(scene.anyAccount(), 'SiteRegistry', 'vote', [random.int(0, proposals + 1), random.chance(0.8)]),
    () => act(site.node, 'SiteRegistry', 'vote', [Math.max(1, proposals), random.chance(0.9)]),
    () => act(site.steward, 'SiteRegistry', 'vote', [Math.max(1, proposals), true]),
    () => act(site.node, 'SiteRegistry', 'vote', [Math.max(1, proposals), true]),
    () => act(random.chance(0.3) ? site.steward : scene.anyAccount(), 'SiteRegistry', 'resign', [random.chance(0.9) ? site.id : scene.sites.length]),
    () => candidate(scene, random.chance(0.5)),
    () => candidate(scene, true),
    () => publishStudy(scene),
  ]
  return random.pick(kinds)()
}

/** Another account for a node or a steward: free as a rule, else its own, somebody else's or none. Drawn apart, as it was added later. */
export function replacement(scene: Scene): Act {
  const { spare, sites, apart: random } = scene
  const site = random.pick(sites)
  const method = random.pick(['rotateNode', 'rotateSteward'])
  const sender = random.pick([site.steward, site.steward, site.node, random.pick(sites).node])
  const account = random.chance(0.7) ? random.pick(spare) : random.pick([site.node, site.steward, random.pick(sites).node, `0x${'00'.repeat(20)}`])
  return { sender: sender as Address, contract: 'SiteRegistry', method, args: [random.chance(0.9) ? site.id : sites.length, account] }
}

function candidate(scene: Scene, faultless: boolean): Act {
  const { random, spare } = scene
  const [node, steward, recovery, taken] = [spare[0], spare[1], spare[2], scene.anySite().node] as Address[]
  const good = { name: 'a late hospital', node, steward, recovery, peerId: 'peer', encryptionKey: scene.digest('encryption'), multiaddrs: [] as string[] }
  const faults = [
    { name: '' },
    { name: 'x'.repeat(65) },
    { peerId: 'p'.repeat(129) },
    { encryptionKey: ZERO_DIGEST },
    { steward: taken },
    { recovery: node },
    { multiaddrs: ['m'.repeat(257)] },
  ]
  return {
    sender: random.chance(0.9) ? (node as Address) : scene.anyAccount(),
    contract: 'SiteRegistry',
    method: 'requestAdmission',
    args: [{ ...good, ...(faultless ? {} : random.pick(faults)) }],
  }
}

/** A study with at most one fault in its numbers. */
export function publishStudy(scene: Scene): Act {
  const { random } = scene
  const least = sitesOf(scene.sim.chain.contracts.sites.active).length + 3
  const good = rulesFor(scene, least)
  const limits = (seconds_: number, blocks: number) => good.limits.with(random.int(0, 4), { seconds_, blocks })
  const faults: readonly Partial<AbiRules>[] = [
    ...[
      {},
      {},
      { mode: 1 },
      { mode: 2 },
      { mode: 1, minSites: 5, quorum: 4, slices: 1 },
      { mode: 1, minSites: 6, quorum: 4, slices: 1 },
      { mode: 1, minSites: 5, quorum: 4, slices: 1, limits: limits(least - 1, least) },
      { quorum: 0 },
      { quorum: good.minSites + 1 },
      { minSites: 257 },
      { maxRounds: 0 },
      { wordBits: 16 as 32 },
      { slices: 0 },
      { slices: good.minSites + 1 },
    ],
    ...[{ limits: limits(least - 1, least) }, { limits: limits(least, least - 1) }, { arithmeticVersion: ZERO_DIGEST }],
    ...[
      [1, 0],
      [0, 1],
      [0, 0],
    ].map(([seconds, blocks]) => shortWitnessing(good, least - 3, seconds as number, blocks as number)),
  ]
  return study(
    scene,
    random.chance(0.8) ? scene.anySite().node : scene.anyAccount(),
    { ...good, ...random.pick(faults), ...(scene.apart.chance(0.08) ? { mode: 1, minSites: 101, quorum: 101, slices: 1 } : {}) },
    random.chance(0.9) ? scene.digest('protocol') : ZERO_DIGEST,
  )
}

/** With several slices, a limit of witnessing at the least that they need, or so much below it. */
function shortWitnessing({ limits, minSites }: AbiRules, sites: number, seconds: number, blocks: number): Partial<AbiRules> {
  const least = Math.max(sites, minSites > 1 ? 3 * minSites : 0) + 3
  return { slices: minSites, limits: limits.with(2, { seconds_: least - seconds, blocks: least - blocks }) }
}

export const study = (scene: Scene, sender: Address, rules: AbiRules, protocol: Digest = scene.digest('protocol')): Act => ({
  sender,
  contract: 'StudyRegistry',
  method: 'publish',
  args: [protocol, scene.digest('protocol cid'), rules],
})

/** Of a masked study that five sites can open. */
export function maskedRules(scene: Scene, least: number): AbiRules {
  const rules = rulesFor(scene, least)
  return { ...rules, mode: 1, minSites: 5, quorum: scene.random.int(4, 5), slices: Math.min(5, rules.slices) }
}

export function rulesFor(scene: Scene, least: number): AbiRules {
  const { random } = scene
  const minSites = random.int(1, Math.max(1, least - 3))
  const numbers = {
    minSites,
    quorum: random.int(1, minSites),
    maxRounds: random.pick([1, 2, 3, 50, 50, 50]),
    wordBits: random.pick([32, 64] as const),
    slices: random.chance(0.6) ? 1 : random.int(1, minSites),
    mode: 0,
    exact: random.chance(0.5),
  }
  const { slices } = numbers
  const limit = (_: unknown, phase: number) => {
    const lowest = phase === 2 && slices > 1 ? Math.max(least, 3 * slices + 3) : least
    return { seconds_: lowest + random.int(0, 2 * least), blocks: lowest + random.int(0, least) }
  }
  return {
    ...numbers,
    limits: Array.from({ length: 5 }, limit),
    arithmeticVersion: scene.digest('arithmetic'),
  }
}

/** Consent and declarations. */
export function consent(scene: Scene): Act {
  const { random } = scene
  const { key, programme, blind, signature } = random.pick(scene.patients)
  const other = random.pick(scene.patients)
  const own = random.pick(scene.patients.filter((patient) => patient.sends))
  const kinds: readonly (() => Act)[] = [
    () => ({
      sender: scene.anyAccount(),
      contract: 'ConsentRegistry',
      method: 'setRoot',
      args: [programme, random.int(0, 3), random.chance(0.9) ? scene.digest('root') : ZERO_DIGEST],
    }),
    () => ({ sender: scene.node(siteId(0)), contract: 'ConsentRegistry', method: 'setRoot', args: [programme, random.int(0, 2), scene.digest('root')] }),
    () => ({ sender: scene.anyAccount(), contract: 'ConsentRegistry', method: 'withdraw', args: [programme, blind, key, signature] }),
    () => ({ sender: own.key, contract: 'ConsentRegistry', method: 'withdraw', args: [own.programme, own.blind, own.key, '0x'] }),
    () => ({
      sender: scene.anyAccount(),
      contract: 'ConsentRegistry',
      method: 'withdraw',
      args: [programme, blind, key, random.pick([other.signature, '0x', '0x1234', `0x${'11'.repeat(65)}`])],
    }),
    () => terms(scene, programme, true),
    () => terms(scene, programme, false),
    () => ({ sender: scene.anyAccount(), contract: 'ConsentRegistry', method: 'withdrawMany', args: [programme, batch(scene)] }),
    () => byOmbudsman(scene, scene.random.pick(scene.patients)),
    () => byOmbudsman(scene, scene.random.pick(scene.patients)),
    () => ({ sender: scene.anyAccount(), contract: 'AuditLog', method: 'record', args: [random.int(0, 255), scene.digest('subject')] }),
  ]
  return random.pick(kinds)()
}

/** By the keeper's steward where the programme has one, with at most one fault. */
function terms(scene: Scene, programme: Digest, faultless: boolean): Act {
  const { random } = scene
  const last = scene.sim.chain.contracts.consents.termsOf(programme)
  const now = scene.sim.chain.head().timestamp
  const steward = (last === undefined ? scene.anySite() : (scene.sites[last.keeper] as SiteRecord)).steward
  const text = scene.digest('text')
  const ombudsman = random.pick([`0x${'00'.repeat(20)}`, OMBUDSMAN.address.toLowerCase(), scene.spare[0] as Address, scene.spare[0] as Address])
  const good = { version: (last?.version ?? 0) + 1, digest: sha256(text), basis: random.int(0, 1), ombudsman, expiresAt: now + 1_000_000, text: text as string }
  const long = `0x${'ab'.repeat(16_385)}`
  const faults: readonly Partial<typeof good>[] = [
    { version: random.int(0, 3) },
    { digest: scene.digest('other') },
    { text: '0x', digest: sha256('0x') },
    { text: long, digest: sha256(long) },
    { expiresAt: now + random.int(-1, 2) },
  ]
  const sender = faultless || random.chance(0.6) ? steward : random.chance(0.5) ? scene.anySite().steward : scene.anyAccount()
  return { sender, contract: 'ConsentRegistry', method: 'publishTerms', args: [programme, { ...good, ...(faultless ? {} : random.pick(faults)) }] }
}

/** Of patients of both programmes, some twice, one with another's signature. */
function batch(scene: Scene): readonly unknown[] {
  const { random } = scene
  const compact = ({ blind, key }: Patient, { signature }: Patient) => {
    const { r, yParityAndS: vs } = Signature.from(signature)
    return { blind, patientKey: key, r, vs }
  }
  const some = Array.from({ length: random.int(0, 4) }, () => random.pick(scene.patients))
  return some.map((patient) => (random.chance(0.8) ? compact(patient, patient) : compact(patient, random.pick(scene.patients))))
}

/** The one that sends, or relayed from the one that signs. */
function byOmbudsman(scene: Scene, { programme, tag, byOmbudsman: signature, signature: other }: Patient): Act {
  const { random } = scene
  const sender = random.chance(0.5) ? (scene.spare[0] as Address) : scene.anyAccount()
  return { sender, contract: 'ConsentRegistry', method: 'withdrawByOmbudsman', args: [programme, tag, random.pick([signature, signature, other, '0x'])] }
}

/** Members that were none when the round opened. */
export function outsiders(scene: Scene): readonly SiteId[] {
  const { study, round } = scene.run()
  return sitesOf(scene.sim.chain.contracts.studies.membersNow(study)).filter((site) => !round.rota.includes(site))
}

export function fromOutside(scene: Scene, site: SiteId): Act {
  const { run, round } = scene.run()
  if (round.phase === 'Keying') return call(scene, site, 'key', [run, round.round, scene.digest('any'), scene.digest('any'), 0n, '0x'])
  if (round.phase === 'Contributing')
    return call(scene, site, 'contribute', [run, round.round, scene.digest('any'), scene.digest('any'), scene.digest('any'), ZERO_DIGEST])
  return call(scene, site, 'publish', [run, round.round, round.attempt, scene.digest('any'), scene.digest('any')])
}

/** From the first custodians: names everybody, also those who did not contribute. */
function badBitmap(scene: Scene): Act {
  const { run, round } = scene.run()
  const custodian = round.rota[(round.turn + scene.random.int(0, 2)) % round.rota.length] as SiteId
  return call(scene, custodian, 'witness', [run, round.round, 0, 255n])
}

/** Of a round that is about to leave the ring, or just left it. */
export function oldAttestation(scene: Scene): Act {
  const { run, round } = scene.run()
  const no = Math.max(1, round.round - scene.random.pick([7, 7, 8])) as typeof round.round
  return call(scene, scene.anySite().id, 'attest', attestation(scene, run, { round: no }, 0))
}

/** From one who may attest: a model with a wrong sum, or none, or half of one, with something else. */
function badTuple(scene: Scene, digest: () => Digest): Act {
  const { run, round } = scene.run()
  const missing = sitesOf(round.included).filter((site) => !has(round.attested, site))
  const tuple = scene.random.pick([
    [digest(), digest(), 3],
    [ZERO_DIGEST, ZERO_DIGEST, 0],
    [ZERO_DIGEST, digest(), 1],
    [digest(), ZERO_DIGEST, 3],
    [digest(), ZERO_DIGEST, 2],
  ])
  return call(scene, scene.random.pick(missing) ?? scene.anySite().id, 'attest', [run, round.round, round.attempt, ...tuple, digest()])
}

/** A call that is late, early, repeated, malformed or another's. */
export function wrong(scene: Scene): Act {
  const { random, deals } = scene
  const { run, round, state } = scene.run()
  if (deals.chance(0.05)) return justify(scene, run, { ...round, round: roundNo(Math.max(0, round.round + deals.pick([0, 0, 1, -1]))) })
  const site = scene.anySite().id
  const no = Math.max(0, round.round + random.pick([0, 0, 0, 0, 0, 0, 0, 0, -1, -1, 1, -2, -7, -8]))
  const digest = () => (random.chance(0.85) ? scene.digest('any') : ZERO_DIGEST)
  const attempt = Math.max(0, round.attempt + random.pick([0, 0, 0, -1, 1]))
  const key = (sites: number): Act => {
    const holds = BigInt(sites)
    return call(scene, site, 'key', [run, no, digest(), digest(), holds, heldDeals(scene, run, no, site, holds)])
  }
  const kinds: readonly (() => Act)[] = [
    () => ({ ...random.pick(scene.done) }),
    () => ({ ...random.pick(scene.done), sender: scene.anyAccount() }),
    () => call(scene, site, 'contribute', [run, no, digest(), digest(), digest(), ZERO_DIGEST]),
    () => key(random.int(0, 255)),
    () => badTuple(scene, digest),
    () => badBitmap(scene),
    () => call(scene, site, 'extend', [run, no]),
    () => call(scene, site, 'abstain', [run, no, random.int(0, 255)]),
    () => call(scene, site, 'witness', [run, no, random.int(0, round.witnessed.length), BigInt(random.int(0, 255))]),
    () => call(scene, site, 'witness', [run, no, random.int(0, round.witnessed.length - 1), round.contributed]),
    () => call(scene, site, 'publish', [run, no, attempt, digest(), digest()]),
    () => call(scene, site, 'publish', [run, round.round, round.attempt, digest(), digest()]),
    () => call(scene, site, 'attest', [run, no, attempt, digest(), digest(), random.int(0, 3), digest()]),
    () => call(scene, site, 'attest', attestation(scene, run, { round: no as typeof round.round }, attempt)),
    () => call(scene, site, 'attest', attestation(scene, run, { round: no as typeof round.round }, 0)),
    () => call(scene, site, 'ready', [run]),
    () => call(scene, site, 'openRun', [random.int(0, scene.studies + 1), digest(), digest()]),
    () => call(scene, site, random.pick(['tick', 'ready']), [random.int(0, scene.runs + 1)]),
    () => (random.chance(state === 'Active' ? 0.15 : 1) ? call(scene, site, 'halt', [run, random.int(0, 6)]) : tick(scene)),
  ]
  const act = random.pick(kinds)()
  return random.chance(0.1) ? { ...act, sender: scene.anyAccount() } : act
}
