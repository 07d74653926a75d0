import { createHash } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemRandom } from '#adapters/host/system-host.ts'
import { encryptionKeyOf } from '#adapters/vault/key-wrap.ts'
import { keyholder } from '#adapters/vault/secrets-vault.ts'
import { openOfflineStore } from '#app/node/offline-store.ts'
import { sha256 } from '#app/sha256.ts'
import { openFolder } from '#audit/folder-source.ts'
import { type ReaderKey, readerKeyOf } from '#audit/reader-key.ts'
import type { AuditReport } from '#audit/report.ts'
import { verifyLog } from '#audit/verify.ts'
import { bitmapOf } from '#base/bitmap.ts'
import { fromHex, toDigest, utf8 } from '#base/bytes.ts'
import { attemptNo, type Bitmap, type Digest, type RoundNo, roundNo, runId, type SiteId, siteId, studyId, ZERO_DIGEST } from '#base/ids.ts'
import { outlineOf } from '#core/commit/outline.ts'
import type { LearnerTools, NeuralTask } from '#core/learner/learner.ts'
import { learnerFor } from '#core/learner/learner-for.ts'
import { type KeyedSite, nameOfDeal } from '#core/masking/held-deals.ts'
import type { Model } from '#core/model/model.ts'
import { Seeded } from '#core/model/seeded.ts'
import type { LearnerSpec, Protocol } from '#core/protocol/protocol.ts'
import { addVectors } from '#core/ring/add.ts'
import { boundUpdate } from '#core/ring/bound.ts'
import { decodeSum } from '#core/ring/decode.ts'
import { toRing } from '#core/ring/to-ring.ts'
import type { ChainEvent, ChainEventBody } from '#ports/chain.ts'
import type { ModelStore, ObjectKind } from '#ports/model-store.ts'
import { epochContext } from '#round/key-bundles.ts'
import { withinBounds } from '#round/steps/tolerance.ts'
import { nameModel, ownProof } from '#round/study.ts'
import { encodeEpochBundle } from '#wire/epoch-bundle.ts'
import { encodeProtocol } from '#wire/protocol.ts'
import { holding } from '../../support/masked-party.ts'
import { generatedStudy } from '../../support/studies.ts'
import { COORDINATOR, keyedRound, type MaskedWorld } from './masked-round.ts'

const RUN = runId(1)
const STUDY = studyId(1)
const GENESIS = toDigest(sha256(utf8('genesis of the audit tests')))
const CHAIN_ID = 31337n
const signal = new AbortController().signal

/** What a liar changes; everything else is made by the nodes' own code. */
export interface Lies {
  update?(bytes: Uint8Array, site: SiteId, round: RoundNo): Uint8Array
  publishedSum?(sum: Uint8Array, round: RoundNo): Uint8Array
  /** The majority goes on from a sum that it should refuse. */
  readonly acceptAnySum?: boolean
  attestedModel?(model: Model, round: RoundNo): Model
}

/** One round's objects, so that a test can break them. */
export interface Made {
  readonly updates: ReadonlyMap<SiteId, Digest>
  readonly sum: { readonly cid: Digest; readonly bytes: Uint8Array }
  readonly model: { readonly cid: Digest; readonly bytes: Uint8Array }
  /** Of masked rounds: what each attester took off. */
  readonly shown: ReadonlyMap<SiteId, Digest>
}

export interface World {
  readonly dir: string
  readonly events: readonly ChainEvent[]
  readonly made: readonly Made[]
  readonly reader: ReaderKey
  readonly store: ModelStore
  readonly protocol: Protocol
}

/** A chain's log and a store's folder of a run over four hospitals, with no chain and no network. */
export async function buildWorld(
  dir: string,
  options: {
    learner?: LearnerSpec
    rounds?: number
    lies?: Lies
    change?: Partial<Protocol>
    sites?: number
    recipient?: Digest
    chain?: { genesis: Digest; chainId: bigint }
    masked?: MaskedWorld
  } = {},
): Promise<World> {
  const count = options.sites ?? 4
  const study = generatedStudy({
    sites: count,
    rows: 60,
    ...(options.learner ? { learner: options.learner } : {}),
    ...(options.change ? { change: options.change } : {}),
  })
  const secret = systemRandom.bytes(32)
  const reader = readerKeyOf(secret)
  const scribe = new Scribe()
  const store = await openOfflineStore(dir)
  const sites = Array.from({ length: count }, (_, i) => siteId(i))
  const protocol: Protocol = options.masked ? { ...study.protocol, mode: 'masked' } : study.protocol
  const protocolBytes = encodeProtocol(protocol)
  const epochKey = systemRandom.bytes(32)
  const { genesis, chainId } = options.chain ?? { genesis: GENESIS, chainId: CHAIN_ID }
  const holder = keyholder(encryptionKeyOf(secret), systemRandom)
  const bundle = encodeEpochBundle({
    study: STUDY,
    epoch: 0,
    previous: null,
    earlier: [],
    wraps: holder.wrap(epochKey, [options.recipient ?? holder.encryptionKey], epochContext(genesis, chainId, STUDY, 0)),
  })
  const learner = learnerFor(protocol, sha256)
  const players = { sha256 }
  let base = nameModel(learner.initial(), players)
  let baseCid = toDigest(sha256(base.bytes))

  scribe.write({
    kind: 'StudyPublished',
    study: STUDY,
    publisher: siteId(0),
    protocolDigest: toDigest(sha256(protocolBytes)),
    protocolCid: await store.putPlain(protocolBytes, signal),
  })
  for (const site of sites) scribe.write({ kind: 'StudyApproved', study: STUDY, site })
  const commitment = toDigest(sha256(utf8('rota epoch key'), epochKey))
  scribe.write({
    kind: 'EpochPublished',
    study: STUDY,
    epoch: 0,
    site: siteId(0),
    commitment,
    bundle: await store.putPlain(bundle, signal),
    members: bitmapOf(sites),
  })
  scribe.write({ kind: 'RunOpened', run: RUN, study: STUDY, site: siteId(0), modelRoot: base.root, modelCid: baseCid })

  const put = async (bytes: Uint8Array, kind: ObjectKind) => store.put(bytes, outlineOf(bytes, sha256), kind, epochKey, signal)
  const made: Made[] = []
  for (let n = 1; n <= (options.rounds ?? 1); n++) {
    const round = roundNo(n)
    const at = { run: RUN, round }
    const turn = (n - 1) % count
    const place = (k: number): SiteId => sites[(turn + k) % count] as SiteId
    const layout = learner.layout(base.model)
    scribe.write({ kind: 'RoundOpened', ...at, leader: place(0), turn, rota: sites, awaited: bitmapOf(sites), baseRoot: base.root, baseCid, epoch: 0 })
    const masks =
      options.masked && (await keyedRound(sites, options.masked, { ...at, chainId, genesis, base: base.root, protocol: toDigest(sha256(protocolBytes)) }))
    const deals = new Map<SiteId, { readonly dealDigest: Digest; readonly dealCid: Digest }>()
    for (const [site, { bytes }] of masks?.files ?? []) {
      const ref = await put(bytes, 'masking')
      deals.set(site, { dealDigest: ref.root, dealCid: ref.cid })
    }
    for (const [site, deal] of deals) {
      const said = masks?.files.get(site)?.said as KeyedSite
      const { holds, heldDeals } = holding(said, (held, dealer) => ({ ...held, name: nameOfDeal(deals.get(dealer) as typeof deal, sha256) }))
      scribe.write({ kind: 'Keyed', ...at, site, ...deal, holds, heldDeals })
    }
    const taking = sites.filter((site) => !options.masked?.dropped?.includes(site))
    const vectors: Uint8Array[] = []
    const plain: Uint8Array[] = []
    const updates = new Map<SiteId, Digest>()
    for (const [i, site] of sites.entries()) {
      if (!taking.includes(site)) continue
      const random = new Seeded(100 * n + i)
      const update = await learner.contribute(base.model, (study.sites[i] as (typeof study.sites)[number]).rows, {
        signal,
        train: nudge,
      } satisfies LearnerTools)
      const ring = toRing(boundUpdate(update), random.bytes(32), random)
      const told = options.lies?.update?.(ring.bytes, site, round) ?? ring.bytes
      plain.push(told)
      const bytes = masks ? masks.mask(site, told, layout.wordBits) : told
      const ref = await put(bytes, 'update')
      vectors.push(bytes)
      updates.set(site, ref.cid)
      scribe.write({ kind: 'Contributed', ...at, site, root: ref.root, cid: ref.cid, cohortRoot: ref.root })
    }
    scribe.write({ kind: 'PhaseBegan', ...at, phase: 'Witnessing', attempt: attemptNo(0) })
    for (let k = 0; k < Math.min(3, count); k++) scribe.write({ kind: 'Witnessed', ...at, site: place(k), slice: 0, held: bitmapOf(taking) })
    scribe.write({ kind: 'Frozen', ...at, included: bitmapOf(taking), accumulator: ZERO_DIGEST })
    const added = (of: readonly Uint8Array[]) => addVectors(of.map((bytes) => ({ ring: true, wordBits: layout.wordBits, bytes }))).bytes
    const honest = added(vectors)
    const sum = options.lies?.publishedSum?.(honest, round) ?? honest
    const sumRef = await put(sum, 'sum')
    scribe.write({ kind: 'Published', ...at, attempt: attemptNo(0), site: place(0), sumRoot: sumRef.root, sumCid: sumRef.cid })
    const values = decodeSum(masks ? added(plain) : sum, layout, taking.length)
    const refused = !withinBounds(layout, values) && !options.lies?.acceptAnySum
    const step = refused ? { model: { ...base.model, refusals: base.model.refusals + 1 }, status: 'refused' as const } : learner.advance(base.model, values)
    const named = nameModel(options.lies?.attestedModel?.(step.model, round) ?? step.model, players)
    const modelRef = await put(named.bytes, 'model')
    const model = { modelRoot: named.root, modelCid: modelRef.cid }
    const result = { ...model, status: step.status }
    const shown = new Map<SiteId, Digest>()
    for (const id of masks ? taking : sites.slice(0, Math.floor(count / 2) + 1)) {
      const proof = ownProof({ id, sha256 }, named.bytes)
      const own = masks ? await store.putPlain(holder.seal(await masks.shown(id, proof), epochKey), signal) : proof
      shown.set(id, own)
      scribe.write({ kind: 'Attested', ...at, attempt: attemptNo(0), site: id, ...result, own })
    }
    if (step.status === 'refused') scribe.write({ kind: 'RoundRefused', ...at, attempt: attemptNo(0), ...model })
    else scribe.write({ kind: 'RoundClosed', ...at, attempt: attemptNo(0), ...model, status: step.status })
    made.push({ updates, sum: { cid: sumRef.cid, bytes: honest }, model: { cid: modelRef.cid, bytes: named.bytes }, shown })
    base = named
    baseCid = modelRef.cid
  }
  return { dir, events: scribe.events, made, reader, store, protocol }
}

/** Stands for a network's training: a fixed small step, so that these tests need no backend. */
const nudge = async (task: NeuralTask): Promise<Float32Array> => task.weights.map((w, i) => w + ((i % 7) - 3) / 64)

class Scribe {
  readonly events: ChainEvent[] = []

  write(body: ChainEventBody): void {
    const block = this.events.length + 1
    this.events.push({ block, index: 0, timestamp: 1_700_000_000 + block, tx: ZERO_DIGEST, ...body })
  }
}

export const chainOf = (events: readonly ChainEvent[]) => ({ chainId: CHAIN_ID, genesis: GENESIS, coordinator: COORDINATOR, events: async () => events })

/** Audits a world, with its events changed if asked. */
export async function audit(
  world: World,
  changes: { events?: readonly ChainEvent[]; reader?: ReaderKey; dirs?: readonly string[] } = {},
): Promise<AuditReport> {
  return verifyLog({
    chain: chainOf(changes.events ?? world.events),
    sources: await Promise.all((changes.dirs ?? [world.dir]).map(openFolder)),
    reader: changes.reader ?? world.reader,
    learnerFor: (protocol) => learnerFor(protocol, sha256),
  })
}

/** Changes events of one kind; everything else stays. */
export const rewrite = <K extends ChainEventBody['kind']>(
  world: World,
  kind: K,
  change: (event: Extract<ChainEvent, { kind: K }>) => ChainEvent,
): ChainEvent[] => world.events.map((event) => (event.kind === kind ? change(event as Extract<ChainEvent, { kind: K }>) : event))

export const setOf = (...sites: number[]): Bitmap => bitmapOf(sites.map(siteId))

/** The file of the one block that holds a small sealed object, found by looking at every file's bytes. */
export async function leafFile(world: World, cid: Digest): Promise<{ path: string; bytes: Uint8Array; digest: string }> {
  const sealed = await world.store.getSealed(cid, 2 ** 20)
  for (const path of await filesOf(world.dir)) {
    const bytes = await readFile(path)
    if (sealed && bytes.equals(sealed)) return { path, bytes, digest: `0x${createHash('sha256').update(bytes).digest('hex')}` }
  }
  throw new TypeError('the object is not on disk as one block')
}

/** The file of an object's root block: the one file whose bytes hash to its CID. */
export async function rootFile(world: World, cid: Digest): Promise<string> {
  for (const path of await filesOf(world.dir))
    if (
      createHash('sha256')
        .update(await readFile(path))
        .digest()
        .equals(fromHex(cid))
    )
      return path
  throw new TypeError('the object has no root block on disk')
}

export async function flip(path: string, at: number): Promise<() => Promise<void>> {
  const whole = await readFile(path)
  const broken = Uint8Array.from(whole)
  broken[at] = (broken[at] as number) ^ 0x10
  await writeFile(path, broken)
  return () => writeFile(path, whole)
}

export async function filesOf(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}
