import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sha256 } from '#app/sha256.ts'
import { signCertificate, type UnlearningCertificate } from '#app/unlearn/certificate.ts'
import { judgeCertificate, type KnownRecord } from '#app/unlearn/certificate-check.ts'
import { toDigest } from '#base/bytes.ts'
import { type ErrorCode, isRotaError } from '#base/errors.ts'
import type { Digest } from '#base/ids.ts'
import { consent_verify } from '#cli/commands/consent-proofs.ts'
import { word32 } from '#core/consent/cohort-map.ts'
import type { ChainEvent } from '#ports/chain.ts'
import { programmeId } from '#wire/programme.ts'
import { generatedKey } from '../../attacks/support/keys.ts'

// given a certificate of unlearning, signed by a member, and somebody who checks it
// ├── it holds under the programme that the checker knows, by name or by the receipt of the record
// ├── one of another programme, under which nobody withdrew, is refused whoever signed it
// ├── one about another record than the receipt's does not hold
// └── the command asks for receipt, programme or store, and takes no two that say the same

const [FIRST, SECOND] = ['research', 'research-2']
const digest = (n: number): Digest => toDigest(sha256(word32(n)))
const key = generatedKey('node')
const tag = digest(1)
const modelOf = (run: number) => ({ root: digest(10 + run), cid: digest(20 + run) })
const runOf = (run: number) => ({ study: 4, protocolDigest: digest(4), run, closedRounds: 6, model: modelOf(run) })
const certificate: UnlearningCertificate = {
  ...({ version: 1, kind: 'rota/unlearning', at: '2026-11-21T12:00:00.000Z', site: { id: 3, name: 'harbour' } } as const),
  ...({ programme: FIRST, tag, withdrawnAtBlock: 80, method: 'fitted again from the first round', checkpoint: null } as const),
  before: { ...runOf(1), roundsWithRecord: [1, 2] },
  after: { ...runOf(2), declared: [], abstained: null },
  ...{ membership: null, says: [] },
}
const chain = {
  sites: async () => [{ id: 3, name: 'harbour', node: key.account }],
  study: async () => ({ protocolDigest: digest(4) }),
  run: async (run: number) => runOf(run),
  events: async () => [{ kind: 'ConsentWithdrawn', programme: programmeId(FIRST, sha256), tag, block: 80 }] as unknown as ChainEvent[],
} as unknown as Parameters<typeof judgeCertificate>[0]

const judge = (change: Partial<UnlearningCertificate>, known: KnownRecord) =>
  judgeCertificate(chain, signCertificate({ ...certificate, ...change }, key), { file: 'certificate.json', known })
const refused = (code: ErrorCode, work: Promise<unknown>) => assert.rejects(work, (error) => isRotaError(error, code))

describe('a certificate of unlearning', () => {
  it('holds under the programme that whoever checks knows', async () => {
    for (const known of [{ programme: FIRST }, { receipt: { programme: FIRST, tag } }]) assert.equal((await judge({}, known)).valid, true)
    assert.match((await judge({ withdrawnAtBlock: null }, { programme: FIRST })).reason, /not withdrawn in the block/)
  })

  it('is refused under another, where nobody withdrew', async () => {
    // The chain knows no withdrawal of this tag under the second, as the certificate then says: by its own word it would hold.
    const lie = { programme: SECOND, withdrawnAtBlock: null }
    for (const known of [{ programme: FIRST }, { receipt: { programme: FIRST, tag } }]) await refused('ROTA-6042', judge(lie, known))
  })

  it('is about the record of the receipt', async () => {
    for (const change of [
      { tag: digest(2), withdrawnAtBlock: null },
      { tag: null, withdrawnAtBlock: null },
    ]) {
      const { valid, reason } = await judge(change, { receipt: { programme: FIRST, tag } })
      assert.deepEqual([valid, reason], [false, 'it is about another receipt'])
    }
  })
})

describe('rota consent verify --certificate', () => {
  const { options: known, run } = consent_verify
  const wrong = async (code: ErrorCode, given: object) => {
    const rest = Object.fromEntries(Object.keys(known).map((name) => [name, name === 'store' ? [] : undefined]))
    const options = { ...rest, chain: 'http://127.0.0.1:1', certificate: 'certificate.json', ...given }
    await refused(code, run({ options, args: [], out: null, signal: new AbortController().signal } as never) as Promise<unknown>)
  }
  it('asks for the receipt, the programme or a store', async () => {
    const contracts = `0x${'ab'.repeat(20)}`
    await wrong('ROTA-1006', { contracts })
    await wrong('ROTA-1006', { programme: FIRST })
    await wrong('ROTA-1102', { contracts, receipt: 'receipt.json', programme: FIRST })
    await wrong('ROTA-1102', { contracts, receipt: 'receipt.json', store: ['.'] })
    await wrong('ROTA-1102', { contracts, programme: FIRST, proof: 'proof.json' })
    await wrong('ROTA-1102', { contracts, confirmation: 'withdrawal.json' })
  })
})
