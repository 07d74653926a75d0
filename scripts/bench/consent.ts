/**
 * What proofs about a large cohort take, and a day on which many withdraw; one JSON line. A process of its own, so that its memory is its own.
 *   node scripts/bench/consent.ts PATIENTS WITHDRAWALS SITES
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { CohortArchive } from '#adapters/cohort/cohort-archive.ts'
import { ConsentStore } from '#adapters/cohort/consent-store.ts'
import { type DeclaredCohort, drawSample } from '#adapters/cohort/draw-sample.ts'
import { cohortMap, cohortPad, cohortSecret, grantedMap, grantedPad } from '#adapters/cohort/site-maps.ts'
import { systemRandom } from '#adapters/host/system-host.ts'
import { vaultOf } from '#adapters/vault/secrets-vault.ts'
import { type RootKeeperParts, rootKeeper } from '#app/consent/keep-roots.ts'
import { sha256 } from '#app/sha256.ts'
import { fromHex, toDigest, toHex } from '#base/bytes.ts'
import { address, type Digest, roundNo, runId, siteId } from '#base/ids.ts'
import { cohortKey, grantEntry, grantKey } from '#core/consent/cohort-map.ts'
import { judgeOpening, readCohortOpening } from '#core/consent/cohort-opening.ts'
import { type ChainRecord, judgeCohortProof, readCohortProof, tellCountedProof, tellMapProof } from '#core/consent/cohort-proof.ts'
import { type CohortSample, judgeSample, readCohortSample } from '#core/consent/cohort-sample.ts'
import { proveCounted } from '#core/consent/counted-map.ts'
import { proveKey } from '#core/consent/keyed-map.ts'
import { expiresAt, type Terms } from '#core/consent/terms.ts'
import { programmeId } from '#patient/keys.ts'
import { encodeTerms, termsDigest } from '#wire/terms.ts'

const [patients, withdrawals, sites] = process.argv.slice(2).map(Number) as [number, number, number]
const PROGRAMME = 'bench'
const CHECKS = 50
const draw = (): Digest => toDigest(systemRandom.bytes(32))
const secret = () => systemRandom.bytes(32)
const vault = vaultOf({ node: secret(), peer: secret(), encryption: secret(), site: secret() }, systemRandom)
const seconds = (sinceMs: number): number => (performance.now() - sinceMs) / 1_000

/** As the command at the site makes it for somebody who withdrew, from the maps on: the cohort's, the epoch's that had the consent, and the one's that stood. */
function proofs() {
  const place = { network: secret(), run: runId(1), round: roundNo(1) }
  const tags = Array.from({ length: patients }, draw)
  const withdrawn = tags[0] as Digest
  const members = tags.slice(1)
  const [startedMs, before] = [performance.now(), process.cpuUsage()]
  const cohort = cohortMap(vault, PROGRAMME, members, place)
  const granted = grantedMap(vault, PROGRAMME, tags, 1)
  const standing = grantedMap(vault, PROGRAMME, members, 2)
  const inEpoch = (epoch: number, map: typeof granted) => ({ epoch, map: tellMapProof(proveKey(map, grantKey(fromHex(withdrawn), sha256))) })
  const own = cohortSecret(vault, PROGRAMME, withdrawn)
  const text = JSON.stringify({
    ...{ version: 1, programme: PROGRAMME, site: 0, run: 1, round: 1, tag: withdrawn, secret: toHex(own), before: null },
    granted: inEpoch(1, granted),
    standing: inEpoch(2, standing),
    cohort: tellCountedProof(proveCounted(cohort, cohortKey(own, place, sha256))),
  })
  const madeS = seconds(startedMs)
  const { user, system } = process.cpuUsage(before)
  const record: ChainRecord = {
    network: place.network,
    openedAtBlock: 20,
    contributed: { root: toDigest(cohort.root), block: 21 },
    epochs: [
      { epoch: 1, root: toDigest(granted.root), block: 5 },
      { epoch: 2, root: toDigest(standing.root), block: 15 },
    ],
    withdrawnAtBlock: 10,
  }
  const checkedS = Array.from({ length: CHECKS }, () => checkOnce(text, withdrawn, record))
  return {
    madeS,
    madeCpuS: (user + system) / 1e6,
    proofBytes: text.length,
    checkedS,
    // For a check elsewhere.
    toCheck: { text, tag: withdrawn, record: { ...record, network: toHex(record.network) } },
    sample: sampled({ vault, programme: PROGRAMME, site: 0, place, root: toDigest(cohort.root), members, granted: { epoch: 2, tags: members } }, record),
    ...opening(members, place, { ...record, withdrawn: [{ tag: withdrawn, block: 10 }] }),
  }
}

function checkOnce(text: string, tag: Digest, record: ChainRecord): number {
  const startedMs = performance.now()
  const proof = readCohortProof(text)
  const verdict = proof && judgeCohortProof(proof, tag, record, sha256)
  if (verdict?.state !== 'not in the declared cohort') throw new Error(`the proof does not hold: ${verdict?.reason}`)
  return seconds(startedMs)
}

/** A member drawn by lot, for an auditor: as the command at the site makes it, and the largest of many. */
function sampled(of: DeclaredCohort, record: ChainRecord) {
  const seed = secret()
  const [startedMs, before] = [performance.now(), process.cpuUsage()]
  const one = (drawn: CohortSample['drawn']): string => JSON.stringify({ ...many, drawn })
  const many = drawSample(of, seed, true, 500)
  const madeS = seconds(startedMs)
  const { user, system } = process.cpuUsage(before)
  const audited = { ...record, withdrawn: Array.from({ length: 1_000 }, () => ({ tag: draw(), block: 10 })) }
  const whole = JSON.stringify(many)
  const verdict = judgeSample(readCohortSample(whole) as CohortSample, seed, audited, sha256)
  if (!verdict.holds) throw new Error(`the sample does not hold: ${verdict.faults[0]}`)
  // The first of the draws, again and again.
  const text = one(many.drawn.slice(0, 1))
  const checkedS = Array.from({ length: CHECKS }, () => {
    const checkedMs = performance.now()
    const read = readCohortSample(text)
    // One draw may be of padding, and then shows nobody.
    if (read === null || judgeSample(read, seed, audited, sha256).faults.length > 0) throw new Error('the sample of one does not hold')
    return seconds(checkedMs)
  })
  return {
    madeS,
    madeCpuS: (user + system) / 1e6,
    bytes: many.drawn.map((entry) => one([entry]).length),
    checkedS,
    toCheck: { text, whole, seed: toHex(seed), record: { ...audited, network: toHex(audited.network) } },
  }
}

/** That the cohort lies within the consents that stood, without those who had withdrawn: for an auditor. */
function opening(members: readonly Digest[], place: Parameters<typeof cohortPad>[2], record: Parameters<typeof judgeOpening>[1]) {
  const startedMs = performance.now()
  const secretOf = (tag: Digest): Uint8Array => cohortSecret(vault, PROGRAMME, tag)
  const entries = members.map((tag) => grantEntry(fromHex(tag), secretOf(tag), sha256)).map(({ key, value }) => [toHex(key), toHex(value)])
  const text = JSON.stringify({
    ...{ version: 1, programme: PROGRAMME, site: 0, run: 1, round: 1, secrets: members.map((tag) => toHex(secretOf(tag))) },
    pad: toHex(cohortPad(vault, PROGRAMME, place)),
    granted: { epoch: 2, entries, pad: toHex(grantedPad(vault, PROGRAMME, 2)) },
  })
  const openedS = seconds(startedMs)
  const judgedMs = performance.now()
  const read = readCohortOpening(text)
  if (read === null || !judgeOpening(read, record, false, sha256).holds) throw new Error('the opened cohort does not hold')
  return { openedS, judgedS: seconds(judgedMs), openingBytes: text.length }
}

/** One hospital on the day after: its record on disk, the tags on chain, and the look with which its node puts the next root there. */
async function dayAt(folder: string, gone: number): Promise<{ readonly rootS: number; readonly left: number }> {
  const consents = new ConsentStore(join(folder, 'consents.log'), vault)
  const archive = new CohortArchive(join(folder, 'cohorts.log'), vault)
  const people = Array.from({ length: 2 * gone }, () => ({ patient: draw(), tag: draw() }))
  await consents.append(people.map((person) => ({ kind: 'granted', ...person, programme: PROGRAMME, oneTimeAddress: NOBODY, at: new Date(0).toISOString() })))
  let nowS = HOUR_S
  const events: object[] = [PUBLISHED]
  const place = () => ({ block: 1, index: 0, timestamp: nowS, tx: PUBLISHED.tx })
  const chain = {
    head: async () => ({ number: 1, hash: PUBLISHED.tx, timestamp: nowS }),
    events: async (_: number, { kinds }: { readonly kinds: readonly string[] }) => events.filter((e) => kinds.includes((e as { kind: string }).kind)),
    consentRoot: async (programme: Digest, epoch: number, root: Digest) =>
      void events.push({ ...place(), kind: 'ConsentRoot', site: siteId(0), programme, epoch, root }),
  }
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined, debug: () => undefined }
  const clock = { nowMs: () => 1_000 * nowS, sleep: async () => undefined }
  const parts = {
    chain,
    own: { id: siteId(0) },
    folder: { vault, consents, archive },
    approved: async () => [PROGRAMME],
    clock,
    log,
  } as unknown as RootKeeperParts
  const look = rootKeeper(parts)
  await look()
  for (const { tag } of people.slice(0, gone)) events.push({ ...place(), kind: 'ConsentWithdrawn', programme: PUBLISHED.programme, tag })
  nowS += 25 * HOUR_S
  const startedMs = performance.now()
  const put = await look()
  const rootS = seconds(startedMs)
  if (put.length !== 1) throw new Error('no root was put on chain')
  const root = events.findLast((e): e is { root: Digest; epoch: number } => 'root' in e)
  const standing = people.slice(gone).map(({ tag }) => tag)
  // The root is over who stands, and nobody else.
  const isRight = root !== undefined && toDigest(grantedMap(vault, PROGRAMME, standing, root.epoch).root) === root.root
  const granted = [...(await consents.standings(PROGRAMME)).values()].filter(({ state }) => state === 'granted').length
  return { rootS, left: isRight ? granted - standing.length : gone }
}

const HOUR_S = 3_600
const NOBODY = address(`0x${'00'.repeat(20)}`)
const TERMS: Terms = {
  ...{ version: 1, programme: PROGRAMME, lawfulBasis: 'consent', expires: '2031-12-31', cadenceHours: 24, relayDelayHours: 24 },
  controllers: [{ name: 'A hospital', contact: 'a@hospital.example' }],
  dataProtectionOfficer: { name: 'The officer', email: 'dpo@hospital.example' },
  ...{ dataCategories: ['rows'], ombudsman: null, portals: ['https://hospital.example'] },
  texts: { en: { title: 'Bench', purpose: 'Bench', data: 'Rows', withdrawing: 'Any time', limits: 'Models stay' } },
}
const PUBLISHED = {
  ...{ block: 1, index: 0, timestamp: 0, tx: draw(), kind: 'TermsPublished', site: siteId(0), ombudsman: null },
  ...{ programme: programmeId(PROGRAMME), version: TERMS.version, basis: TERMS.lawfulBasis },
  ...{ digest: termsDigest(TERMS, sha256), expiresAt: expiresAt(TERMS), text: toHex(encodeTerms(TERMS)) },
}

const made = proofs()
const folder = await mkdtemp(join(tmpdir(), 'rota-bench-consent-'))
try {
  const days: { readonly rootS: number; readonly left: number }[] = []
  for (let site = 0; site < sites; site++) {
    const own = await mkdtemp(join(folder, 'site-'))
    days.push(await dayAt(own, withdrawals / sites))
  }
  const left = days.reduce((sum, day) => sum + day.left, 0)
  process.stdout.write(`${JSON.stringify({ ...made, rootS: days.map(({ rootS }) => rootS), left, rssBytes: process.resourceUsage().maxRSS * 1024 })}\n`)
} finally {
  await rm(folder, { recursive: true, force: true })
}
