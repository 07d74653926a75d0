import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { drawSample } from '#adapters/cohort/draw-sample.ts'
import { cohortMap, cohortPad, cohortSecret, grantedMap, sha256 } from '#adapters/cohort/site-maps.ts'
import { fromHex, toDigest, toHex, utf8 } from '#base/bytes.ts'
import { isRotaError } from '#base/errors.ts'
import { type Digest, roundNo, runId } from '#base/ids.ts'
import { cohortEntry, cohortKey, grantKey, padEntry, padSeed, word32 } from '#core/consent/cohort-map.ts'
import type { AuditedRecord } from '#core/consent/cohort-opening.ts'
import { tellCountedProof, tellMapProof } from '#core/consent/cohort-proof.ts'
import {
  type CohortQuestion,
  type CohortSample,
  coinOf,
  drawnPlace,
  judgeSample,
  otherThanAsked,
  readCohortQuestion,
  readCohortSample,
} from '#core/consent/cohort-sample.ts'
import { buildCountedMap, provePlace } from '#core/consent/counted-map.ts'
import { proveKey } from '#core/consent/keyed-map.ts'
import { keyed } from '../cohort/support.ts'

// given members of a cohort that a site opened by lot
// ├── they hold when each had consented and none had withdrawn when the round opened; padding is told apart; how likely it finds what is wrong stands beside
// ├── a proof of one of them, of a cohort of thousands, takes less than 4 kB
// ├── a member who had withdrawn, or for whom no consent stood, is found, also when the site hides it
// │   └── as padding, under another's consent, or of another epoch
// ├── they do not hold when the site chose: another seed, place, order, site, round or network
// ├── they do not hold with one character altered
// ├── keys that were chosen to crowd where a lot by key would hardly fall are drawn as often as any others
// ├── members hidden among more padding than there can be do not hold
// ├── members that are not those on chain are not drawn from
// ├── an answer to another question is told apart
// └── what is no sample, and no question, is told apart

const site = keyed('a site')
const PROGRAMME = 'cardio'
const network = sha256(Uint8Array.of(1))
const place = { network, run: runId(2), round: roundNo(5) }
const tags = Array.from({ length: 40 }, (_, i): Digest => site.keyedDigest('tag', word32(i)))
const seed = sha256(utf8('a seed'))

interface Case {
  readonly members?: readonly Digest[]
  readonly granted?: readonly Digest[]
  readonly gone?: AuditedRecord['withdrawn']
  readonly draws?: number
  readonly vault?: typeof site
}

function made({ members = tags, granted = tags, gone = [], draws = 80, vault = site }: Case = {}) {
  const chain: AuditedRecord = {
    network,
    openedAtBlock: 100,
    contributed: { root: toDigest(cohortMap(vault, PROGRAMME, members, place).root), block: 110 },
    epochs: [
      { epoch: 1, root: toDigest(grantedMap(vault, PROGRAMME, granted, 1).root), block: 90 },
      { epoch: 2, root: toDigest(grantedMap(vault, PROGRAMME, tags, 2).root), block: 200 },
    ],
    withdrawn: gone,
  }
  const of = { vault, programme: PROGRAMME, site: 3, place, members, root: toDigest(cohortMap(vault, PROGRAMME, members, place).root) }
  const draw = (by = seed, epoch = 1, from: readonly Digest[] = granted) => drawSample({ ...of, granted: { epoch, tags: from } }, by, true, draws)
  const sample = draw()
  return { sample, chain, draw, says: (s: CohortSample = sample, by = seed, c = chain) => judgeSample(s, by, c, sha256) }
}

const [first, second] = tags as [Digest, Digest]
const drawnOf = (sample: CohortSample, tag: Digest): number =>
  sample.drawn.findIndex((entry) => 'secret' in entry && entry.secret === toHex(cohortSecret(site, PROGRAMME, tag)))

describe('a cohort opened by lot', () => {
  it('holds when all who were drawn had consented and none had withdrawn', () => {
    const { says, sample } = made()
    const { holds, members, drawn, faults, chances, leastFound } = says()
    assert.deepEqual([holds, drawn, faults], [true, 80, []])
    assert.ok(members > 35 && members < 65, `${members} members among 24 times padding of 64`)
    assert.equal(sample.drawn.filter((entry) => 'pad' in entry).length, 80 - members)
    assert.deepEqual(
      chances.map(({ share, caught }) => [share, caught]),
      [0.01, 0.05, 0.1].map((share) => [share, 1 - (1 - share) ** members]),
    )
    assert.ok(Math.abs((1 - leastFound) ** members - 0.05) < 1e-9)
    assert.equal(made({ gone: [{ tag: first, block: 101 }] }).says().holds, true, 'withdrawn after the round opened')
    const { holds: shows, faults: none, members: nobody, leastFound: least } = made({ members: [] }).says()
    assert.deepEqual([shows, none, nobody, least], [false, [], 0, 1], 'where no member was drawn nothing is shown')
  })

  it('is short for each', () => {
    const many = Array.from({ length: 4_000 }, (_, i): Digest => site.keyedDigest('tag', word32(i)))
    const { sample, says } = made({ members: many, granted: many })
    assert.equal(says().holds, true)
    for (const entry of sample.drawn) assert.ok(JSON.stringify({ ...sample, drawn: [entry] }).length < 2_500)
  })

  it('shows who had withdrawn, however it is hidden', () => {
    const { sample, draw, says } = made({ gone: [{ tag: first, block: 100 }] })
    const at = drawnOf(sample, first)
    assert.ok(at >= 0, 'drawn')
    assert.deepEqual([says().holds, says().withdrawn > 0], [false, true])
    const entry = sample.drawn[at] as Extract<CohortSample['drawn'][number], { secret: string }>
    const other = sample.drawn[drawnOf(sample, second)] as typeof entry
    const tricks = [
      { pad: entry.secret, way: entry.way },
      { ...entry, consent: null },
      { ...entry, consent: other.consent },
      { ...entry, secret: other.secret },
      other,
    ]
    for (const trick of tricks) {
      const verdict = says({ ...sample, drawn: sample.drawn.with(at, trick) })
      assert.ok(
        verdict.faults.some((fault) => fault.startsWith(`draw ${at + 1}: `)),
        JSON.stringify(trick),
      )
    }
    assert.equal(says(draw(seed, 2, tags)).holds, false, 'by an epoch that came later')
  })

  it('shows for whom no consent stood', () => {
    const { says } = made({ granted: tags.slice(20) })
    assert.equal(says().holds, false)
    assert.ok(says().withoutConsent > 10)
    assert.match(says().faults[0] ?? '', /no consent stood/)
    const later = made({ granted: tags.slice(20) })
    assert.match(later.says(later.draw(seed, 2, tags)).faults[0] ?? '', /not of epoch 1/)
  })

  it('does not hold when the site chose', () => {
    const { sample, draw, chain, says } = made()
    const other = sha256(utf8('a seed that suits'))
    assert.match(says(draw(other)).faults[0] ?? '', /place \d+ of 64 was drawn, and place \d+ is shown/)
    assert.equal(says(sample, other).holds, false)
    assert.equal(says({ ...sample, drawn: sample.drawn.toReversed() }).holds, false)
    assert.equal(says({ ...sample, drawn: sample.drawn.slice(1) }).holds, false)
    assert.equal(says({ ...sample, site: 4 }).holds, false)
    assert.equal(says({ ...sample, round: 6 }).holds, false)
    assert.equal(says(sample, seed, { ...chain, network: sha256(Uint8Array.of(2)) }).holds, false)
    assert.match(says(sample, seed, { ...chain, contributed: null }).faults[0] ?? '', /declared no cohort/)
    assert.equal(says(sample, seed, { ...chain, epochs: [] }).holds, false)
    assert.equal(says({ ...sample, drawn: sample.drawn.slice(0, 9) }).holds, true, 'fewer than could be, and told as that many')
  })

  it('does not hold with one character altered', () => {
    const { sample, says } = made({ draws: 3 })
    assert.equal(says().holds, true)
    const text = JSON.stringify({ ...sample, seed: null })
    const digits = [...text.matchAll(/0x[0-9a-f]{64}|"[\w-]{43}"/g)].flatMap(({ index }) => [index + 20, index + 43])
    const counts = [...text.matchAll(/[[,](\d+)(?=[\],])/g)].map(({ index }) => index + 1)
    assert.ok(digits.length > 20 && counts.length > 15)
    for (const at of [...digits, ...counts]) {
      const altered = readCohortSample(`${text.slice(0, at)}${text[at] === '1' ? '2' : '1'}${text.slice(at + 1)}`)
      assert.equal(altered !== null && says(altered).holds, false, `at ${at}`)
    }
  })

  it('draws members whose keys were chosen as often as any others', () => {
    const wrong = Array.from({ length: 50 }, (_, i): Digest => site.keyedDigest('crowded', word32(i)))
    const secrets = new Map(wrong.map((tag) => [tag, crowded(tag)]))
    const vault = {
      keyedDigest: (...of: Parameters<typeof site.keyedDigest>) =>
        (of[0] === 'cohort-secret' && secrets.get(toHex(of[2] as Uint8Array) as Digest)) || site.keyedDigest(...of),
    }
    const members = [...Array.from({ length: 200 }, (_, i): Digest => site.keyedDigest('tag', word32(i))), ...wrong]
    const verdict = made({ vault, members, granted: members.slice(0, 200), draws: 1_000 }).says()
    assert.ok(Math.abs(verdict.withoutConsent / verdict.members - 0.2) < 0.05, `${verdict.withoutConsent} of ${verdict.members}`)
  })

  it('does not hold among more padding than there can be', () => {
    const says = (count: number, leaves: number) => {
      const pad = cohortPad(site, PROGRAMME, place)
      const secrets = tags.slice(0, count).map((tag) => cohortSecret(site, PROGRAMME, tag))
      const seeds = Array.from({ length: leaves - count }, (_, i) => padSeed(pad, i, sha256))
      const entries = [...secrets.map((secret) => cohortEntry(secret, place, sha256)), ...seeds.map((padding) => padEntry(padding, sha256))]
      const map = buildCountedMap(entries, sha256)
      const { chain } = made()
      const coin = coinOf(place, 3, toDigest(map.root), seed, sha256)
      const consents = grantedMap(site, PROGRAMME, tags, 1)
      const drawn = Array.from({ length: 80 }, (_, i): CohortSample['drawn'][number] => {
        const { end, ...rest } = provePlace(map, drawnPlace(coin, i, map.size, sha256))
        const { siblings, counts } = tellCountedProof({ ...rest, end })
        const [way, at] = [{ siblings, counts }, entries.indexOf(end)]
        if (at >= count) return { pad: toHex(seeds[at - count] as Uint8Array), way }
        const tag = tags[at] as Digest
        const consent = { tag, siblings: tellMapProof(proveKey(consents, grantKey(fromHex(tag), sha256))).siblings }
        return { secret: toHex(secrets[at] as Uint8Array), consent, way }
      })
      const { sample } = made()
      return judgeSample({ ...sample, drawn }, seed, { ...chain, contributed: { root: toDigest(map.root), block: 110 } }, sha256)
    }
    assert.equal(says(33, 64).holds, true)
    assert.equal(says(3, 16).holds, true, 'few among the 16 that there are at least')
    assert.match(says(3, 64).faults.join(), /^\d+ of 80 drawn are members: of 64 leaves more than half have to be$/)
    assert.match(says(40, 1024).faults.join(), /of 1024 leaves more than half/)
    assert.match(says(40, 48).faults.join(), /48 leaves, which is no power of two/)
    assert.match(says(3, 8).faults.join(), /8 leaves/)
  })

  it('is not drawn from members that are not those on chain', () => {
    const { chain } = made()
    const of = { vault: site, programme: PROGRAMME, site: 3, place, root: chain.contributed?.root as Digest, members: tags.slice(1), granted: null }
    assert.throws(
      () => drawSample(of, seed, true, 5),
      (error) => isRotaError(error, 'ROTA-6011'),
    )
  })

  it('that answers another question is told apart', () => {
    const { sample } = made()
    const question: CohortQuestion = { version: 1, site: 3, run: 2, round: 5, draws: 80, seed: toHex(seed) }
    assert.equal(otherThanAsked(sample, question), null)
    const other = { site: 4, run: 3, round: 6, seed: toHex(network) }
    for (const [field, value] of Object.entries(other)) assert.equal(otherThanAsked(sample, { ...question, [field]: value }), field)
    assert.equal(otherThanAsked(sample, { ...question, draws: 81 }), 'number of draws')
    assert.equal(otherThanAsked({ ...sample, seed: null }, question), 'seed')
    assert.deepEqual(readCohortQuestion(JSON.stringify(question)), question)
    for (const wrong of ['', 'null', { ...question, draws: 0 }, { ...question, draws: 1_001 }, { ...question, seed: '0x1' }, { ...question, version: 2 }])
      assert.equal(readCohortQuestion(typeof wrong === 'string' ? wrong : JSON.stringify(wrong)), null)
  })

  it('is read as it was written; what is none is told apart', () => {
    const { sample } = made({ draws: 5 })
    const [entry] = sample.drawn
    assert.deepEqual(readCohortSample(JSON.stringify(sample)), sample)
    const wrong = [
      {},
      [],
      null,
      { ...sample, version: 2 },
      { ...sample, seed: 'x' },
      { ...sample, epoch: -1 },
      { ...sample, programme: '' },
      { ...sample, programme: 'x'.repeat(101) },
      { ...sample, programme: 'cardio\u001b[2K\nIt holds.' },
      { ...sample, drawn: [] },
      { ...sample, drawn: [null] },
    ]
    const deep = [{ way: entry?.way }, { ...entry, way: null }, { ...entry, way: { siblings: [''], counts: [] } }, { ...entry, pad: 'x' }]
    for (const each of [...wrong, ...deep.map((e) => ({ ...sample, drawn: [e] })), { ...sample, drawn: Array.from({ length: 1_001 }, () => entry) }])
      assert.equal(readCohortSample(JSON.stringify(each)), null)
  })
})

/** A secret by which this tag's key begins with eight zeros: a site that knows the round beforehand can look for one. */
function crowded(tag: Digest): Digest {
  for (let i = 0; ; i++) {
    const secret = sha256(fromHex(tag), word32(i))
    if (cohortKey(secret, place, sha256)[0] === 0) return toDigest(secret)
  }
}
