import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { cohortMap, cohortPad, cohortSecret, grantedMap, grantedPad, sha256 } from '#adapters/cohort/site-maps.ts'
import { fromHex, toDigest, toHex } from '#base/bytes.ts'
import { type Digest, roundNo, runId } from '#base/ids.ts'
import { grantEntry } from '#core/consent/cohort-map.ts'
import { type AuditedRecord, type CohortOpening, judgeOpening, readCohortOpening } from '#core/consent/cohort-opening.ts'
import { keyed } from '../cohort/support.ts'

// given a cohort that a site opened to an auditor
// ├── it holds when all its members consented and none had withdrawn when the round opened
// ├── a member who had withdrawn is found, also when the site hides the consent, or the member among the padding
// ├── a member without consent is a fault, but under opt-out
// ├── two consents of one secret, of which one may be withdrawn, are found
// ├── members left out, added or shown twice, another epoch, other consents: it does not hold
// └── what is no opening is told apart

const vault = keyed('a site')
const PROGRAMME = 'cardio'
const network = sha256(Uint8Array.of(1))
const place = { network, run: runId(2), round: roundNo(5) }
const tags = Array.from({ length: 30 }, (_, i): Digest => vault.keyedDigest('tag', Uint8Array.of(i)))
const secretOf = (tag: Digest, by = vault): string => toHex(cohortSecret(by, PROGRAMME, tag))

function made({ members = tags, granted = tags, gone = [] as readonly { tag: Digest; block: number }[], by = vault } = {}) {
  const chain: AuditedRecord = {
    network,
    openedAtBlock: 100,
    contributed: { root: toDigest(cohortMap(by, PROGRAMME, members, place).root), block: 110 },
    epochs: [
      { epoch: 1, root: toDigest(grantedMap(by, PROGRAMME, granted, 1).root), block: 90 },
      { epoch: 2, root: toDigest(grantedMap(vault, PROGRAMME, tags, 2).root), block: 200 },
    ],
    withdrawn: gone,
  }
  const opening: CohortOpening = {
    ...{ version: 1, programme: PROGRAMME, site: 3, run: place.run, round: place.round },
    secrets: members.map((tag) => secretOf(tag, by)),
    pad: toHex(cohortPad(vault, PROGRAMME, place)),
    granted: {
      epoch: 1,
      entries: granted.map((tag) => grantEntry(fromHex(tag), fromHex(secretOf(tag, by)), sha256)).map(({ key, value }) => [toHex(key), toHex(value)] as const),
      pad: toHex(grantedPad(vault, PROGRAMME, 1)),
    },
  }
  return { opening, chain, says: (o: CohortOpening = opening, optOut = false) => judgeOpening(o, chain, optOut, sha256) }
}

const [first, second] = tags as [Digest, Digest]

describe('an opened cohort', () => {
  it('holds when all consented and none had withdrawn when the round opened', () => {
    assert.deepEqual(made().says(), { holds: true, site: 3, run: 2, round: 5, members: 30, withoutConsent: 0, withdrawn: 0, faults: [] })
    assert.equal(made({ members: tags.slice(2), gone: [{ tag: first, block: 80 }] }).says().holds, true)
    assert.equal(made({ gone: [{ tag: first, block: 101 }] }).says().holds, true, 'withdrawn after the round opened')
    assert.equal(made({ members: [] }).says().holds, true)
  })

  it('shows who had withdrawn, however it is hidden', () => {
    const { opening, says } = made({ gone: [{ tag: first, block: 100 }] })
    assert.deepEqual([says().holds, says().withdrawn], [false, 1])
    const granted = opening.granted as NonNullable<CohortOpening['granted']>
    const tricks: CohortOpening[] = [
      { ...opening, granted: { ...granted, entries: granted.entries.slice(1) } },
      { ...opening, secrets: opening.secrets.slice(1) },
      { ...opening, secrets: opening.secrets.with(0, secretOf(second)) },
      { ...opening, secrets: opening.secrets.with(0, toHex(sha256(Uint8Array.of(3)))) },
      { ...opening, granted: { ...granted, epoch: 2 } },
      { ...opening, granted: null },
    ]
    for (const trick of tricks) assert.equal(says(trick).holds, false)
  })

  it('counts members without a consent: a fault, but under opt-out', () => {
    const { opening, says } = made({ granted: tags.slice(4) })
    assert.deepEqual([says().holds, says().withoutConsent], [false, 4])
    assert.deepEqual([says(opening, true).holds, says(opening, true).withoutConsent], [true, 4])
  })

  it('shows two consents of one secret: the one that stands does not excuse the one that was withdrawn', () => {
    const by: typeof vault = {
      keyedDigest: (purpose, programme, of, ...rest) =>
        vault.keyedDigest(
          purpose,
          programme as Uint8Array,
          purpose === 'cohort-secret' && toHex(of as Uint8Array) === first ? fromHex(second) : (of as Uint8Array),
          ...rest,
        ),
    }
    const { says } = made({ members: [first, ...tags.slice(2)], gone: [{ tag: first, block: 50 }], by })
    assert.deepEqual([says().holds, says().faults], [false, ['two consents are of one cohort secret']])
  })

  it('does not hold with a member added or shown twice, another round or padding', () => {
    const { opening, says } = made({ members: tags.slice(5) })
    assert.equal(says({ ...opening, secrets: [...opening.secrets, secretOf(first)] }).holds, false)
    assert.equal(says({ ...opening, secrets: [...opening.secrets, opening.secrets[0] as string] }).holds, false)
    assert.equal(says({ ...opening, round: 6 }).holds, false)
    assert.equal(says({ ...opening, pad: secretOf(first) }).holds, false)
  })

  it('is read as it was written; what is none is told apart', () => {
    const { opening } = made()
    assert.deepEqual(readCohortOpening(JSON.stringify(opening)), opening)
    for (const wrong of [
      {},
      { ...opening, version: 2 },
      { ...opening, secrets: ['x'] },
      { ...opening, granted: { epoch: 1 } },
      { ...opening, granted: undefined },
    ])
      assert.equal(readCohortOpening(JSON.stringify(wrong)), null)
  })
})
