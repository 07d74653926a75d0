import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { systemRandom } from '#adapters/host/system-host.ts'
import { encryptionKeyOf } from '#adapters/vault/key-wrap.ts'
import { keyholder } from '#adapters/vault/secrets-vault.ts'
import { openOfflineStore } from '#app/node/offline-store.ts'
import { EpochKeys } from '#audit/epoch-keys.ts'
import { eventText } from '#audit/event-text.ts'
import { blockFile, openFolder } from '#audit/folder-source.ts'
import { expectedSet } from '#audit/frozen-set.ts'
import { firstDifferentLeaf, rootOf } from '#audit/merkle-tree.ts'
import { readerKeyOf } from '#audit/reader-key.ts'
import { remainderOf, sumOf } from '#audit/ring-words.ts'
import type { RoundLog, StudyLog } from '#audit/run-log.ts'
import { findObject } from '#audit/stored-object.ts'
import { readStored } from '#audit/unixfs-object.ts'
import { utf8 } from '#base/bytes.ts'
import { isRotaError } from '#base/errors.ts'
import { attemptNo, type Digest, roundNo, runId, siteId, studyId, ZERO_DIGEST } from '#base/ids.ts'
import { outlineOf } from '#core/commit/outline.ts'
import type { ModelStore } from '#ports/model-store.ts'
import { epochContext } from '#round/key-bundles.ts'
import { encodeEpochBundle } from '#wire/epoch-bundle.ts'
import { setOf } from './audit-world.ts'

const signal = new AbortController().signal
const hash = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest()
const hex = (bytes: Uint8Array) => `0x${Buffer.from(bytes).toString('hex')}` as Digest

let root: string
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'rota-audit-parts-'))
})
after(() => rm(root, { recursive: true, force: true }))

describe('Merkle roots of the audit', () => {
  it('are those of RFC 6962 over padded leaves of 1 KiB', () => {
    const [a, b, c] = [1, 2, 3].map((fill) => new Uint8Array(1024).fill(fill)) as [Uint8Array, Uint8Array, Uint8Array]
    const leaf = (bytes: Uint8Array) => hash(Uint8Array.of(0), bytes)
    const node = (left: Uint8Array, right: Uint8Array) => hash(Uint8Array.of(1), left, right)
    assert.equal(rootOf(new Uint8Array(0)), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'.replace(/^/, '0x'))
    assert.equal(rootOf(a), hex(leaf(a)))
    assert.equal(rootOf(a.subarray(0, 5)), hex(leaf(Buffer.concat([a.subarray(0, 5), Buffer.alloc(1019)]))))
    assert.equal(rootOf(Buffer.concat([a, b, c])), hex(node(node(leaf(a), leaf(b)), leaf(c))))
  })

  it('equal the golden vectors of the nodes', async () => {
    const { cases } = JSON.parse(await readFile(new URL('../../vectors/merkle.json', import.meta.url), 'utf8')) as { cases: { length: number; root: string }[] }
    assert.ok(cases.length > 5)
    for (const { length, root } of cases) {
      const bytes = new Uint8Array(length).map((_, i) => (31 * i + Math.floor(i / 251) + 7) % 256)
      assert.equal(rootOf(bytes), root)
    }
  })

  it('name the first leaf that differs, also where one is longer', () => {
    const bytes = new Uint8Array(5000)
    const other = Uint8Array.from(bytes)
    other[3072] = 1
    assert.equal(firstDifferentLeaf(bytes, bytes), null)
    assert.equal(firstDifferentLeaf(bytes, other), 3)
    assert.equal(firstDifferentLeaf(bytes, bytes.subarray(0, 4096)), 4)
  })
})

describe('sums of the audit', () => {
  const words = (bits: 32 | 64, ...values: bigint[]) =>
    new Uint8Array((bits === 64 ? BigUint64Array.from(values) : Uint32Array.from(values.map(Number))).buffer)

  it('wrap around at the word size', () => {
    assert.deepEqual(sumOf([words(64, 2n ** 64n - 1n, 5n), words(64, 3n, 2n ** 63n), words(64, 0n, 2n ** 63n)], 64), words(64, 2n, 5n))
    assert.deepEqual(sumOf([words(32, 2n ** 32n - 1n, 5n), words(32, 3n, 7n)], 32), words(32, 2n, 12n))
  })

  it('give the missing vector back when all others are taken away', () => {
    const [a, b, c] = [words(64, 9n, 2n ** 64n - 2n), words(64, 8n, 4n), words(64, 7n, 1n)]
    const sum = sumOf([a, b, c], 64) as Uint8Array
    assert.deepEqual(remainderOf(sum, [a, c], 64), b)
  })

  it('do not exist for vectors of unlike length, or none', () => {
    assert.equal(sumOf([], 64), null)
    assert.equal(sumOf([new Uint8Array(8), new Uint8Array(16)], 64), null)
    assert.equal(sumOf([new Uint8Array(12)], 64), null)
  })
})

describe('objects of more than one piece', () => {
  const plaintext = new Uint8Array(2_600_000).map((_, i) => (i * 31 + (i >> 9)) & 0xff)
  const key = new Uint8Array(32).fill(7)
  const object = { kind: 'update' as const, root: rootOf(plaintext), site: siteId(0) }
  const put = async (bytes: Uint8Array, slices?: number) => (await store.put(bytes, outlineOf(bytes, hash), 'update', key, signal, slices)).cid
  let store: ModelStore
  let cid: Digest

  before(async () => {
    store = await openOfflineStore(join(root, 'pieces'))
    cid = await put(plaintext)
  })

  it('open with the epoch key, and with no other', async () => {
    const sources = [await openFolder(join(root, 'pieces'))]
    assert.deepEqual((await findObject(sources, { ...object, cid }, key)).bytes, plaintext)
    const wrong = await findObject(sources, { ...object, cid }, new Uint8Array(32))
    assert.equal(wrong.bytes, null)
    assert.match(wrong.wrong ?? '', /does not open/)
  })

  it('open in slices as the store makes them, whatever their length', async () => {
    const sources = [await openFolder(join(root, 'pieces'))]
    for (const slices of [1, 2, 3, 7, 40]) {
      for (const size of [0, 1, 65_536, 65_537, 261_120, 261_121, 1_048_576, 1_048_577, 2_600_000]) {
        const bytes = plaintext.subarray(0, size)
        // What fits into a message is never cut.
        const sliced = { ...object, root: rootOf(bytes), slices, cid: await put(bytes, size > 261_120 ? slices : 1) }
        const found = await findObject(sources, sliced, key)
        assert.deepEqual([found.wrong, found.bytes?.length], [null, size], `${size} bytes in ${slices} slices`)
        assert.ok(Buffer.from(bytes).equals(found.bytes as Uint8Array))
        if (size > 261_120 && slices > 1 && slices < 7)
          assert.match((await findObject(sources, { ...sliced, slices: slices + 1 }, key)).wrong ?? '', /no sealed object|does not open/)
      }
    }
  })

  /** Changes byte 4096 of the object's block, looks, and mends it. */
  const withBroken = async (object: Parameters<typeof findObject>[1], block: number, at = 4096) => {
    const sources = [await openFolder(join(root, 'pieces'))]
    const leaf = (await readStored(sources, object.cid)).leaves[block] as Digest
    const path = join(root, 'pieces', blockFile(leaf))
    const whole = await readFile(path)
    const broken = Uint8Array.from(whole)
    broken[at] = (broken[at] as number) ^ 1
    await writeFile(path, broken)
    const found = await findObject(sources, object, key).finally(() => writeFile(path, whole))
    assert.equal(found.bytes, null)
    assert.deepEqual(
      found.damaged.map((d) => d.block),
      [leaf],
    )
    return found
  }

  it('show the changed byte of the second piece in its leaf, and nothing else', async () => {
    const sources = [await openFolder(join(root, 'pieces'))]
    // The outline, and three pieces.
    assert.equal((await readStored(sources, cid)).leaves.length, 4)
    const { untrusted } = await withBroken({ ...object, cid }, 2)
    assert.equal(firstDifferentLeaf(untrusted as Uint8Array, plaintext), (1024 * 1024 + 4096) / 1024)
    const differing = (untrusted as Uint8Array).filter((byte, i) => byte !== plaintext[i])
    assert.equal(differing.length, 1)
  })

  it('show the changed byte of a piece of the last slice in its leaf', async () => {
    const sliced = { ...object, slices: 3, cid: await put(plaintext, 3) }
    // 40 units in 3 slices: 13, 13 and 14; one piece each.
    const { untrusted } = await withBroken(sliced, 3)
    assert.equal(firstDifferentLeaf(untrusted as Uint8Array, plaintext), 26 * 64 + 4)
  })

  it('are decrypted with a changed outline where they have one slice, and not where its roots are needed', async () => {
    assert.deepEqual((await withBroken({ ...object, cid }, 0, 40)).untrusted, plaintext)
    assert.equal((await withBroken({ ...object, slices: 3, cid: await put(plaintext, 3) }, 0, 40)).untrusted, null)
  })

  it('are not had when a block is gone, and no file at all when the root is another thing', async () => {
    const sources = [await openFolder(join(root, 'pieces'))]
    const { leaves } = await readStored(sources, cid)
    const without = [{ name: 'partial', block: async (digest: Digest) => (digest === leaves[2] ? null : ((await sources[0]?.block(digest)) ?? null)) }]
    const partial = await findObject(without, { ...object, cid }, key)
    assert.deepEqual([partial.bytes, partial.wrong, partial.damaged], [null, null, []])
    const asRoot = await findObject(sources, { ...object, cid: leaves[0] as Digest }, key)
    assert.match(asRoot.wrong ?? '', /no file/)
  })

  it('are not followed for ever: a block that links to itself thousands of times is no file', async () => {
    const leaf = hash(utf8('nothing here'))
    const link = Buffer.concat([Buffer.from([0x0a, 36, 1, 0x55, 0x12, 32]), leaf])
    const data = Buffer.concat([Buffer.from([0x08, 2]), ...Array.from({ length: 9000 }, () => Buffer.from([0x20, 0]))])
    const varint = (n: number) => (n < 128 ? [n] : n < 16384 ? [(n & 127) | 128, n >> 7] : [(n & 127) | 128, ((n >> 7) & 127) | 128, n >> 14])
    const node = Buffer.concat([
      ...Array.from({ length: 9000 }, () => Buffer.concat([Buffer.from([0x12, ...varint(link.length)]), link])),
      Buffer.from([0x0a, ...varint(data.length)]),
      data,
    ])
    const cid = hex(hash(node))
    let asked = 0
    const source = {
      name: 'forged',
      block: async (digest: Digest) => {
        asked++
        return digest === cid ? node : null
      },
    }
    const stored = await readStored([source], cid)
    assert.equal(stored.malformed, true)
    assert.ok(asked < 5000)
  })

  it('need a folder that is there', async () => {
    await assert.rejects(openFolder(join(root, 'nowhere')), (error) => isRotaError(error, 'ROTA-6402'))
  })
})

describe('epoch keys', () => {
  const genesis = hex(hash(utf8('a chain')))
  const place = { block: 1, index: 0, timestamp: 0, tx: ZERO_DIGEST, members: setOf(0), site: siteId(0), study: studyId(1) }

  /** A study whose epochs have these keys and bundles, as a reader finds it in a store's folder. */
  const published = async (folder: string, secrets: readonly Uint8Array[], bundles: readonly Uint8Array[], secret: Uint8Array) => {
    const store = await openOfflineStore(join(root, folder))
    const events = bundles.map(async (bundle, epoch) => {
      const commitment = hex(hash(utf8('rota epoch key'), secrets[epoch] as Uint8Array))
      return [epoch, { kind: 'EpochPublished' as const, ...place, epoch, commitment, bundle: await store.putPlain(bundle, signal) }] as const
    })
    const study: StudyLog = { study: studyId(1), protocolDigest: ZERO_DIGEST, protocolCid: ZERO_DIGEST, epochs: new Map(await Promise.all(events)), first: [] }
    const sources = [await openFolder(join(root, folder))]
    const at = (chainId: bigint) => new EpochKeys({ chainId, genesis }, sources, readerKeyOf(secret))
    return { study, at }
  }
  const wrapFor = (epoch: number, key: Uint8Array, to: ReturnType<typeof keyholder>) => to.wrap(key, [to.encryptionKey], epochContext(genesis, 5n, 1, epoch))

  it('of an epoch that was not wrapped to the reader come from the bundles after it', async () => {
    const secret = systemRandom.bytes(32)
    const [mine, other] = [keyholder(encryptionKeyOf(secret), systemRandom), keyholder(encryptionKeyOf(systemRandom.bytes(32)), systemRandom)]
    const secrets = [0, 1, 2, 3].map(() => systemRandom.bytes(32)) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array]
    const [first, second, third, fourth] = secrets
    const bundles = [
      encodeEpochBundle({ study: 1, epoch: 0, previous: null, earlier: [], wraps: wrapFor(0, first, other) }),
      encodeEpochBundle({ study: 1, epoch: 1, previous: mine.seal(first, second), earlier: [], wraps: wrapFor(1, second, mine) }),
      encodeEpochBundle({ study: 1, epoch: 2, previous: null, earlier: [], wraps: wrapFor(2, third, other) }),
      encodeEpochBundle({
        ...{ study: 1, epoch: 3, previous: mine.seal(second, fourth), wraps: wrapFor(3, fourth, mine) },
        earlier: [
          { epoch: 0, sealed: mine.seal(third, fourth) },
          { epoch: 2, sealed: mine.seal(third, fourth) },
        ],
      }),
    ]
    const { study, at } = await published('epochs', secrets, bundles, secret)
    const keys = at(5n)
    assert.deepEqual((await keys.of(study, 0)).key, Buffer.from(first))
    assert.deepEqual((await keys.of(study, 1)).key, Buffer.from(second))
    assert.deepEqual((await keys.of(study, 2)).key, Buffer.from(third), 'of one that the bundle before does not lead to, from the list beside it')
    assert.equal((await at(6n).of(study, 1)).reader, false)
  })
  it('are no fault of whoever drew them where a later bundle hands on junk, and come from another that carries them', async () => {
    const secret = systemRandom.bytes(32)
    const [mine, other] = [keyholder(encryptionKeyOf(secret), systemRandom), keyholder(encryptionKeyOf(systemRandom.bytes(32)), systemRandom)]
    const secrets = [0, 1, 2].map(() => systemRandom.bytes(32)) as [Uint8Array, Uint8Array, Uint8Array]
    const [first, second, third] = secrets
    const bundles = [
      encodeEpochBundle({ study: 1, epoch: 0, previous: null, earlier: [], wraps: wrapFor(0, first, other) }),
      encodeEpochBundle({ study: 1, epoch: 1, previous: mine.seal(systemRandom.bytes(32), second), earlier: [], wraps: wrapFor(1, second, mine) }),
      encodeEpochBundle({
        ...{ study: 1, epoch: 2, previous: mine.seal(second, third), wraps: wrapFor(2, third, mine) },
        earlier: [{ epoch: 0, sealed: mine.seal(first, third) }],
      }),
    ]
    const bridged = await published('bridged', secrets, bundles, secret)
    const found = await bridged.at(5n).of(bridged.study, 0)
    assert.deepEqual([found.key, found.wrong], [Buffer.from(first), false])
    const left = await published('not bridged', secrets, bundles.slice(0, 2), secret)
    const { wrong, why } = await left.at(5n).of(left.study, 0)
    assert.ok(wrong && why.includes('as the bundle of epoch 1 hands it on'), why)
  })
})

describe('the frozen set', () => {
  const at = { run: runId(1), round: roundNo(1), block: 1, index: 0, timestamp: 0, tx: ZERO_DIGEST }
  const rota = [0, 1, 2, 3, 4].map(siteId)
  const opened = {
    ...at,
    kind: 'RoundOpened' as const,
    leader: siteId(3),
    turn: 3,
    rota,
    awaited: setOf(0),
    baseRoot: ZERO_DIGEST,
    baseCid: ZERO_DIGEST,
    epoch: 0,
  }
  const contributed = rota.map((site) => ({ ...at, kind: 'Contributed' as const, site, root: ZERO_DIGEST, cid: ZERO_DIGEST, cohortRoot: ZERO_DIGEST }))
  const witnessing = { ...at, kind: 'PhaseBegan' as const, phase: 'Witnessing' as const, attempt: attemptNo(0) }
  const witness = (site: number, held: ReturnType<typeof setOf>, slice = 0) => ({ ...at, kind: 'Witnessed' as const, site: siteId(site), slice, held })
  const round = (...events: RoundLog['events'][number][]): RoundLog => ({
    opened,
    isDeep: false,
    events: [...contributed, ...events],
    frozen: null,
    approvedAtFreeze: setOf(0, 1, 2, 3, 4),
    ended: null,
    late: [],
  })

  it('takes what two of the three custodians from the turn on hold', () => {
    const { included, strangers } = expectedSet(round(witnessing, witness(3, setOf(0, 1, 2)), witness(4, setOf(1, 2)), witness(0, setOf(0))), 1)
    assert.deepEqual([included, strangers], [setOf(0, 1, 2), []])
  })

  it('counts later places only after the phase began again', () => {
    assert.deepEqual(expectedSet(round(witnessing, witness(3, setOf(0, 1)), witness(1, setOf(0, 1))), 1).strangers, [siteId(1)])
    const extended = expectedSet(round(witnessing, witness(3, setOf(0, 1)), witnessing, witness(1, setOf(0, 1))), 1)
    assert.deepEqual([extended.included, extended.strangers], [setOf(0, 1), []])
  })

  it('asks three more while an update is named by one alone', () => {
    const heard = [witness(3, setOf(0, 1)), witness(4, setOf(0))]
    const { included, strangers } = expectedSet(round(witnessing, ...heard, witnessing, witness(1, setOf(1))), 1)
    assert.deepEqual([included, strangers], [setOf(0, 1), []])
  })

  it('asks the whole rota after a frozen set that came to nothing, and goes by the majority', () => {
    const all = [witness(0, setOf(0, 1)), witness(1, setOf(1)), witness(2, setOf(0, 1)), witness(4, setOf(0, 2))]
    const { included, strangers } = expectedSet({ ...round(witnessing, ...all), isDeep: true }, 1)
    assert.deepEqual([included, strangers], [setOf(0, 1), []])
  })

  it('asks every slice, each with custodians of its own', () => {
    const first = [witness(3, setOf(0, 1)), witness(4, setOf(0, 1))]
    assert.deepEqual(expectedSet(round(witnessing, ...first, witness(4, setOf(1, 2), 1), witness(1, setOf(1, 2), 1)), 2).included, setOf(1))
  })
})

describe('the log in words', () => {
  it('names site, round and what happened', () => {
    const text = eventText({
      kind: 'Attested',
      run: runId(2),
      round: roundNo(7),
      attempt: attemptNo(0),
      site: siteId(4),
      modelRoot: ZERO_DIGEST,
      modelCid: ZERO_DIGEST,
      status: 'wrongSum',
      own: ZERO_DIGEST,
    })
    assert.equal(text, 'run 2 round 7: site 4 attested that the sum is wrong')
  })
})
