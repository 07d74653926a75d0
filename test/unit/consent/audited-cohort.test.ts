import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { drawSample } from '#adapters/cohort/draw-sample.ts'
import { cohortMap, cohortPad, cohortSecret, grantedMap, grantedPad, sha256 } from '#adapters/cohort/site-maps.ts'
import { judgeOpeningOn } from '#app/audit/audit-cohort.ts'
import { type AuditedSample, judgeSampleOn } from '#app/audit/audit-sample.ts'
import type { KnownProgramme } from '#app/audit/audited-programme.ts'
import { openOfflineStore } from '#app/node/offline-store.ts'
import { parseProtocol } from '#app/protocol/protocol-file.ts'
import { fromHex, toDigest, toHex } from '#base/bytes.ts'
import { type ErrorCode, isRotaError } from '#base/errors.ts'
import { type Digest, roundNo, runId } from '#base/ids.ts'
import { audit_cohort } from '#cli/commands/audit-cohort.ts'
import { sampleText } from '#cli/output/cohort-text.ts'
import { plain } from '#cli/output/style.ts'
import { grantEntry, networkDigest, word32 } from '#core/consent/cohort-map.ts'
import type { CohortOpening } from '#core/consent/cohort-opening.ts'
import { coinBlock } from '#core/consent/cohort-sample.ts'
import type { ChainEvent } from '#ports/chain.ts'
import { programmeId } from '#wire/programme.ts'
import { encodeProtocol } from '#wire/protocol.ts'
import { keyed, PROTOCOL_TEXT, tempFolder } from '../cohort/support.ts'

// given a site that put the tags of people who withdrew under a second programme, where nobody did
// ├── its cohort under that one is refused, whole and by lot, and does not hold when the file says the first
// ├── the programme comes from the protocol that the stewards approved, where a store holds it; where none does, that is said
// ├── a sample that a block drew is refused when it shows another number than was demanded
// ├── the command asks for the programme or a store, and for the question or a number
// └── what a sample says moves no cursor and fakes no line

const [FIRST, SECOND] = ['research', 'research-2']
const contracts = `0x${'ab'.repeat(20)}`
const vault = keyed('a site')
const place = { network: networkDigest(7n, contracts, sha256), run: runId(2), round: roundNo(5) }
const tags = Array.from({ length: 20 }, (_, i): Digest => vault.keyedDigest('tag', word32(i)))
const root = toDigest(cohortMap(vault, SECOND, tags, place).root)
const hash = toDigest(sha256(word32(9)))
const protocol = encodeProtocol(parseProtocol(PROTOCOL_TEXT))

const rootUnder = (programme: string, granted: readonly Digest[]) => ({
  ...{ kind: 'ConsentRoot', site: 3, epoch: 1, block: 90, programme: programmeId(programme, sha256) },
  root: toDigest(grantedMap(vault, programme, granted, 1).root),
})
const withdrawn = tags.slice(0, 5).map((tag) => ({ kind: 'ConsentWithdrawn', programme: programmeId(FIRST, sha256), tag, block: 80 }))
const log = (protocolCid: Digest) =>
  [
    { kind: 'StudyPublished', study: 1, protocolCid, protocolDigest: toDigest(sha256(protocol)) },
    { kind: 'RunOpened', run: 2, study: 1 },
    ...withdrawn,
    ...[rootUnder(FIRST, tags.slice(5)), rootUnder(SECOND, tags)],
    { kind: 'RoundOpened', run: 2, round: 5, block: 100 },
    { kind: 'Contributed', run: 2, round: 5, site: 3, cohortRoot: root, block: 110 },
  ] as unknown as ChainEvent[]
const chainOf = (protocolCid = hash) => ({
  chainId: 7n,
  events: async (_: number, { run, kinds = [] }: { run?: number; kinds?: readonly string[] } = {}) =>
    log(protocolCid).filter((e) => kinds.includes(e.kind) && (run === undefined || ('run' in e && e.run === run))),
  head: async () => ({ number: 200, hash, timestamp: 0 }),
  blockHash: async () => hash,
})

const declared = { vault, programme: SECOND, site: 3, place, root, members: tags, granted: { epoch: 1, tags } }
const asked = { version: 1, site: 3, run: 2, round: 5, draws: 40, seed: hash } as const
const answer = drawSample(declared, fromHex(hash), true, 40)
const byBlock = drawSample(declared, fromHex(hash), false, 40)
const opening: CohortOpening = {
  ...{ version: 1, programme: SECOND, site: 3, run: 2, round: 5 },
  secrets: tags.map((tag) => toHex(cohortSecret(vault, SECOND, tag))),
  pad: toHex(cohortPad(vault, SECOND, place)),
  granted: {
    epoch: 1,
    entries: tags.map((tag) => grantEntry(fromHex(tag), cohortSecret(vault, SECOND, tag), sha256)).map(({ key, value }) => [toHex(key), toHex(value)] as const),
    pad: toHex(grantedPad(vault, SECOND, 1)),
  },
}
const by = (known: KnownProgramme) => ({ sample: 'sample.json', opening: 'cohort.json', contracts, optOut: false, known })
const refused = (code: ErrorCode, work: Promise<unknown>) => assert.rejects(work, (error) => isRotaError(error, code))

describe('a cohort under another programme than the study', () => {
  it('is refused, whole and by lot', async () => {
    const known = by({ programme: FIRST })
    await refused('ROTA-6042', judgeSampleOn(chainOf(), answer, asked, known))
    await refused('ROTA-6042', judgeSampleOn(chainOf(), byBlock, { draws: 40 }, known))
    await refused('ROTA-6042', judgeOpeningOn(chainOf(), opening, known))
    assert.equal((await judgeSampleOn(chainOf(), { ...answer, programme: FIRST }, asked, known)).holds, false)
    assert.equal((await judgeOpeningOn(chainOf(), { ...opening, programme: FIRST }, known)).holds, false)
    // With nothing forged: were the study under the second, all would be well.
    const second = by({ programme: SECOND })
    assert.deepEqual((await judgeSampleOn(chainOf(), answer, asked, second)).faults, [])
    assert.deepEqual((await judgeOpeningOn(chainOf(), opening, second)).faults, [])
  })

  it('is known by the protocol that the stewards approved', async () => {
    const dir = tempFolder()
    const cid = await (await openOfflineStore(dir)).putPlain(protocol, new AbortController().signal)
    const stored = by({ stores: [dir], reader: undefined, password: null })
    await refused('ROTA-6042', judgeSampleOn(chainOf(cid), answer, asked, stored))
    await refused('ROTA-6042', judgeOpeningOn(chainOf(cid), opening, stored))
    assert.equal((await judgeOpeningOn(chainOf(cid), { ...opening, programme: FIRST }, stored)).holds, false)
    await refused('ROTA-6043', judgeOpeningOn(chainOf(), opening, stored))
    await refused('ROTA-6010', judgeOpeningOn(chainOf(cid), { ...opening, run: 8 }, stored))
    await refused('ROTA-1006', judgeOpeningOn(chainOf(cid), opening, by({ stores: ['http://127.0.0.1:1'], reader: undefined, password: null })))
    await refused('ROTA-1308', judgeOpeningOn(chainOf(cid), opening, by({ stores: ['http://127.0.0.1:1'], reader: 'r.json', password: null })))
  })
})

describe('a cohort opened by lot, to who demanded so many', () => {
  it('is refused with another number', async () => {
    const known = by({ programme: SECOND })
    const { holds, coinBlock: block } = await judgeSampleOn(chainOf(), byBlock, { draws: 40 }, known)
    assert.deepEqual([holds, block], [true, coinBlock(110)])
    await refused('ROTA-6044', judgeSampleOn(chainOf(), { ...byBlock, drawn: byBlock.drawn.slice(0, 11) }, { draws: 40 }, known))
    await refused('ROTA-6038', judgeSampleOn(chainOf(), answer, { draws: 40 }, known))
  })

  it('is told on its own lines', () => {
    const verdict = { holds: true, programme: 'a\u001b[2K\nb', site: 4, run: 1, round: 1, drawn: 1, members: 1, chances: [], faults: [] }
    const text = (of: object) => sampleText({ ...verdict, withoutConsent: 0, withdrawn: 0, leastFound: 0.9, coinBlock: null, ...of } as AuditedSample, plain)
    assert.match(text({}), /^Cohort of site 4 in round 1 of run 1, under "a b": /)
    assert.match(text({ holds: false, members: 0 }), /No member was drawn: this shows nothing/)
    assert.doesNotMatch(text({ holds: false, members: 0 }), /It holds|Each of these/)
  })
})

describe('rota audit cohort', () => {
  const { options: known, run } = audit_cohort
  const wrong = async (code: ErrorCode, given: object) => {
    const rest = Object.fromEntries(Object.keys(known).map((name) => [name, name === 'store' ? [] : undefined]))
    const options = { ...rest, chain: 'http://127.0.0.1:1', contracts, optOut: false, ...given }
    await refused(code, run({ options, args: [], out: null, signal: new AbortController().signal } as never) as Promise<unknown>)
  }
  it('asks for the programme or a store, and for the question or a number', async () => {
    await wrong('ROTA-1006', { opening: 'cohort.json' })
    await wrong('ROTA-1102', { opening: 'cohort.json', programme: FIRST, store: ['.'] })
    await wrong('ROTA-1006', { opening: 'cohort.json', programme: FIRST, draws: 5 })
    await wrong('ROTA-1006', { sample: 'sample.json', programme: FIRST })
    await wrong('ROTA-1102', { sample: 'sample.json', programme: FIRST, question: 'question.json', draws: 5 })
  })
})
