import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { cohortMap, cohortSecret, grantedMap, sha256 } from '#adapters/cohort/site-maps.ts'
import { fromBase64Url } from '#base/base64-url.ts'
import { fromHex, toDigest, toHex } from '#base/bytes.ts'
import { type Digest, roundNo, runId } from '#base/ids.ts'
import { cohortKey, grantEntry, grantKey, paddedGrants, secretCommitment } from '#core/consent/cohort-map.ts'
import { type ChainRecord, type CohortProof, judgeCohortProof, readCohortProof, tellCountedProof, tellMapProof } from '#core/consent/cohort-proof.ts'
import { proveCounted } from '#core/consent/counted-map.ts'
import { buildKeyedMap, proveKey } from '#core/consent/keyed-map.ts'
import { keyed } from '../cohort/support.ts'

// given a receipt's tag and a site's proof about a round
// ├── it says that the record was in the declared cohort
// ├── it says that it was not: withdrawn before, unused, no consent yet, nothing declared
// ├── it says that the record was used under opt-out, before there was a receipt
// ├── it says when a cohort was declared against a withdrawal
// ├── it does not hold
// │   ├── about another receipt, or of another round, network or site
// │   ├── with another secret than the one of the tag's consent, whichever epoch it names
// │   ├── when it passes over the epoch that stood
// │   ├── when it names another hospital, which declared nothing in the round
// │   ├── when another secret is in a root that came after the round and the withdrawal, or than the receipt shows
// │   └── when it shows nothing of a cohort that was declared, or one where none was
// ├── one altered character makes it not hold
// └── what is no proof is told apart; a proof takes less than 4 kB

const vault = keyed('a site')
const PROGRAMME = 'cardio'
const network = sha256(Uint8Array.of(1))
const place = { network, run: runId(2), round: roundNo(5) }
const tagOf = (i: number): Digest => vault.keyedDigest('tag', Uint8Array.of(i >> 8, i))
const tags = Array.from({ length: 40 }, (_, i) => tagOf(i))
const tag = tags[7] as Digest

const OPENED = 100
const CONTRIBUTED = 110

interface Case {
  readonly members?: readonly Digest[]
  /** Who had consented in epoch 1 (block 50) and epoch 2 (block 90); epoch 3 comes after the round. */
  readonly granted?: readonly (readonly Digest[])[]
  readonly withdrawnAtBlock?: number
  readonly epoch?: number
  readonly secret?: Uint8Array
  /** Shown as what stood in place of the tag. */
  readonly patient?: Digest
}

const secretOf = (member: Digest): Uint8Array => cohortSecret(vault, PROGRAMME, member)

function made({ members = tags, granted = [tags, tags], withdrawnAtBlock, epoch = 2, secret = secretOf(tag), patient }: Case = {}) {
  const cohort = cohortMap(vault, PROGRAMME, members, place)
  const epochs = granted.map((of, i) => grantedMap(vault, PROGRAMME, of, i + 1))
  const inEpoch = (n: number) => ({ epoch: n, map: tellMapProof(proveKey(epochs[n - 1] as (typeof epochs)[0], grantKey(fromHex(tag), sha256))) })
  const chain: ChainRecord = {
    network,
    openedAtBlock: OPENED,
    contributed: { root: toDigest(cohort.root), block: CONTRIBUTED },
    epochs: epochs.map((map, i) => ({ epoch: i + 1, root: toDigest(map.root), block: [50, 90, 200][i] as number })),
    withdrawnAtBlock: withdrawnAtBlock ?? null,
  }
  const proof: CohortProof = {
    ...{ version: 1, programme: PROGRAMME, site: 3, run: place.run, round: place.round, tag },
    secret: toHex(secret),
    granted: inEpoch(epoch),
    standing: epoch === 2 ? null : inEpoch(2),
    cohort: tellCountedProof(proveCounted(cohort, cohortKey(secret, place, sha256))),
    before:
      patient === undefined
        ? null
        : { secret: toHex(secretOf(patient)), cohort: tellCountedProof(proveCounted(cohort, cohortKey(secretOf(patient), place, sha256))) },
  }
  return { proof, chain, says: (p = proof, c = chain, t = tag) => judgeCohortProof(p, t, c, sha256) }
}

const without = (who: Digest): Digest[] => tags.filter((each) => each !== who)

describe('a proof about a receipt', () => {
  it('says that the record was in the declared cohort', () => {
    const { valid, round, state } = made().says()
    assert.deepEqual([valid, round, state], [true, 5, 'in the declared cohort'])
  })

  it('says that it was not, and why', () => {
    const cases: [Case, RegExp][] = [
      [{ members: without(tag), withdrawnAtBlock: 99 }, /withdrawn in block 99; the round opened in block 100/],
      [{ members: without(tag) }, /did not use it/],
      [{ members: without(tag), withdrawnAtBlock: 105 }, /did not use it/],
      [{ members: without(tag), granted: [without(tag), without(tag), tags], epoch: 3 }, /no consent stood/],
      [{ members: without(tag), granted: [tags, without(tag)], epoch: 1 }, /no consent stood/],
    ]
    for (const [of, reason] of cases) {
      const verdict = made(of).says()
      assert.deepEqual([verdict.valid, verdict.state], [true, 'not in the declared cohort'])
      assert.match(verdict.reason, reason)
    }
    const { proof, chain, says } = made()
    assert.match(says({ ...proof, cohort: null }, { ...chain, contributed: null }).reason, /declared no cohort/)
  })

  it('says that the record was used under opt-out, before there was a receipt', () => {
    const patient = tagOf(500)
    const late = { granted: [without(tag), without(tag), tags], epoch: 3, patient } as const
    const verdict = made({ ...late, members: [...without(tag), patient] }).says()
    assert.deepEqual([verdict.valid, verdict.state], [true, 'in the declared cohort'])
    assert.match(verdict.reason, /before this consent/)
    assert.equal(made({ ...late, members: without(tag) }).says().state, 'not in the declared cohort')
  })

  it('says when a cohort was declared against a withdrawal', () => {
    const verdict = made({ withdrawnAtBlock: OPENED }).says()
    assert.deepEqual([verdict.valid, verdict.state], [true, 'in the declared cohort'])
    assert.match(verdict.reason, /against the withdrawal/)
  })

  it('does not hold for another receipt, round, network or programme of roots', () => {
    const { proof, chain, says } = made()
    assert.match(says(proof, chain, tags[8]).reason, /another receipt/)
    assert.equal(says({ ...proof, round: 6 }).valid, false)
    assert.equal(says(proof, { ...chain, network: sha256(Uint8Array.of(2)) }).valid, false)
    assert.match(says(proof, { ...chain, epochs: [] }).reason, /no root of consents/)
    assert.match(says(proof, { ...chain, contributed: null }).reason, /declared no cohort/)
    assert.match(says({ ...proof, cohort: null }).reason, /shows none/)
  })

  it('does not hold with another secret, to hide who was in', () => {
    const { says } = made({ secret: sha256(Uint8Array.of(9)) })
    assert.match(says().reason, /another secret/)
  })

  it('does not hold when it passes over the epoch that stood', () => {
    const { proof, says } = made({ epoch: 1 })
    assert.match(says({ ...proof, standing: null }).reason, /passes over epoch 2/)
    assert.match(says().reason, /does not show that epoch 2 lacked/)
  })

  it('does not hold with a secret that was put on chain to deny that a withdrawn record was in', () => {
    const { proof, chain, says } = made({ granted: [tags, without(tag)], epoch: 1, withdrawnAtBlock: 80 })
    assert.match(says().reason, /against the withdrawal/)
    const other = sha256(Uint8Array.of(9))
    const denying = buildKeyedMap(paddedGrants([grantEntry(fromHex(tag), other, sha256)], new Uint8Array(32), sha256), sha256)
    const cohort = cohortMap(vault, PROGRAMME, tags, place)
    const forged: CohortProof = {
      ...proof,
      secret: toHex(other),
      granted: { epoch: 3, map: tellMapProof(proveKey(denying, grantKey(fromHex(tag), sha256))) },
      cohort: tellCountedProof(proveCounted(cohort, cohortKey(other, place, sha256))),
    }
    const afterwards: ChainRecord = { ...chain, epochs: [...chain.epochs, { epoch: 3, root: toDigest(denying.root), block: 200 }] }
    const verdict = says(forged, afterwards)
    assert.deepEqual([verdict.valid, verdict.state], [false, null])
    assert.match(verdict.reason, /after the round and after the withdrawal/)
    // Without a withdrawal on chain the receipt tells.
    const stopped = { ...afterwards, withdrawnAtBlock: null }
    const pinned = { site: null, secret: toDigest(secretCommitment(secretOf(tag), sha256)) }
    assert.match(judgeCohortProof(forged, tag, stopped, sha256, pinned).reason, /another secret than the receipt/)
    assert.equal(judgeCohortProof(proof, tag, stopped, sha256, pinned).state, 'in the declared cohort')
  })

  it('does not hold of another hospital, which was not in the round', () => {
    const { proof, chain, says } = made({ withdrawnAtBlock: 99 })
    const nothing = { ...proof, site: 200, cohort: null, standing: null }
    // What the chain has of hospital 200: nothing; of 201, which holds other consents: its roots.
    const elsewhere = { ...chain, contributed: null, epochs: [] }
    assert.equal(says(nothing, elsewhere).valid, false)
    const others = grantedMap(vault, PROGRAMME, without(tag), 2)
    assert.equal(says({ ...nothing, site: 201 }, { ...elsewhere, epochs: [{ epoch: 2, root: toDigest(others.root), block: 90 }] }).valid, false)
    assert.match(judgeCohortProof(proof, tag, chain, sha256, { site: 4, secret: null }).reason, /another hospital/)
    assert.equal(judgeCohortProof(proof, tag, chain, sha256, { site: proof.site, secret: null }).valid, true)
  })

  it('does not hold with one character altered', () => {
    const { proof, chain } = made()
    const text = JSON.stringify(proof)
    const digits = [...text.matchAll(/0x[0-9a-f]{64}|"[\w-]{43}"/g)].flatMap(({ index }) => [index + 20, index + 43])
    assert.ok(digits.length > 10)
    for (const at of digits) {
      const altered = readCohortProof(`${text.slice(0, at)}${text[at] === '0' ? '1' : '0'}${text.slice(at + 1)}`)
      if (altered === null) continue
      assert.equal(judgeCohortProof(altered, tag, chain, sha256).valid, false, `at ${at}`)
    }
  })

  it('is read as it was written; what is none is told apart', () => {
    const { proof, chain } = made({ epoch: 1, granted: [tags, without(tag)], members: without(tag) })
    assert.deepEqual(readCohortProof(JSON.stringify(proof)), proof)
    // As receipts of before have it.
    const inHex = proof.granted.map.siblings.map((sibling) => (sibling === '' ? '' : toHex(fromBase64Url(sibling) as Uint8Array)))
    const older = { ...proof, granted: { ...proof.granted, map: { ...proof.granted.map, siblings: inHex } } }
    assert.equal(judgeCohortProof(readCohortProof(JSON.stringify(older)) as CohortProof, tag, chain, sha256).valid, true)
    const wrong = ['', '[]', '{}', 'null', { ...proof, version: 2 }, { ...proof, run: -1 }, { ...proof, secret: '0x12' }, { ...proof, granted: null }]
    const deep = [
      { ...proof, cohort: { end: null, siblings: ['x'] } },
      { ...proof, cohort: { end: { key: '0x', value: null }, siblings: [] } },
    ]
    for (const each of [...wrong, ...deep]) assert.equal(readCohortProof(typeof each === 'string' ? each : JSON.stringify(each)), null)
  })

  it('of a cohort of thousands is short', () => {
    const members = Array.from({ length: 4_000 }, (_, i) => tagOf(i))
    const left = members.filter((member) => member !== tag)
    // Withdrawn, and in the epoch that stood no more: three maps are shown.
    const { proof, says } = made({ members: left, granted: [members, left], epoch: 1, withdrawnAtBlock: 60 })
    assert.equal(says().state, 'not in the declared cohort')
    assert.ok(JSON.stringify(proof).length < 3_200, `${JSON.stringify(proof).length} bytes`)
  })
})
