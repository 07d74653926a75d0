import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fromHex, toHex } from '#base/bytes.ts'
import { address } from '#base/ids.ts'
import { canonicalJson } from '#patient/canonical-json.ts'
import { readCardLink } from '#patient/card.ts'
import { consentKeys } from '#patient/keys.ts'
import { completeReceipt, domainOf, type ReceiptV2, readReceiptText, receiptContent, receiptNumber, showsInclusion } from '#patient/receipt.ts'
import { contentDigest, isSealed, sealOf } from '#patient/seal.ts'
import { readWithdrawalReceipt, type WithdrawnAtDesk, withdrawalReceipt } from '#patient/withdrawal-receipt.ts'
import { inclusionOf, receiptOf, SIGNER, TERMS } from './receipts.ts'
import { drawn, secretOf } from './support.ts'

// given a receipt that a site countersigned
// ├── it reads as what was written, with terms and without, and its card opens the same consent
// ├── it has the fields that ISO/IEC TS 27560 asks of a record, and names nobody
// ├── one character altered anywhere: it is refused, or says the same
// ├── a part of another receipt, another's signature, a seal made anew by somebody else's key: refused, or shown as that key's
// ├── it can be countersigned without its secret
// └── its proof leads to the root that it names, and to no other
// given a receipt of version 1: it is good as it was
// given a confirmation of the desk: the same seal; one character altered: refused

const receipt = receiptOf()
const text = (of: object) => JSON.stringify(of, null, 2)

describe('a receipt', () => {
  it('reads as what was written', () => {
    for (const one of [receipt, receiptOf({ terms: null }), receiptOf({ terms: { ...TERMS, lawfulBasis: 'opt-out', portals: [], ombudsman: null } })]) {
      assert.deepEqual(readReceiptText(text(one)), one)
      assert.deepEqual(readReceiptText(JSON.stringify(one)), one, 'however it is laid out')
    }
    assert.match(receiptNumber(receipt), /^[0-9a-f]{4}(-[0-9a-f]{4}){3}$/)
  })

  it('has a card that opens the same consent', () => {
    const card = readCardLink(receipt.card ?? '') ?? assert.fail()
    assert.equal(consentKeys(card.secret, card.programme).tag, receipt.tag)
    assert.deepEqual([card.portals, card.site, card.contracts], [TERMS.portals, 3, receipt.network.contracts])
    assert.ok(receipt.card?.startsWith(`${TERMS.portals[0]}#`))
    assert.equal(receiptOf({ terms: { ...TERMS, portals: [] } }).card, null)
  })

  it('has the fields that a consent record must have', () => {
    const record = receipt['dpv:hasRecordOfActivity'] as Record<string, unknown>
    const must = [
      'dct:identifier',
      'dct:conformsTo',
      'dpv:hasDataSubject',
      'dpv:hasDataController',
      'dpv:hasJurisdiction',
      'dpv:hasLegalBasis',
      'dpv:hasNotice',
    ]
    for (const field of [...must, 'dpv:hasProcess', 'dpv:hasConsentControl', 'dpv:hasRight', 'dpv:hasConsentStatus']) assert.ok(field in record, field)
    const process = record['dpv:hasProcess'] as object
    for (const field of ['dpv:hasPurpose', 'dpv:hasPersonalData', 'dpv:hasProcessing', 'dpv:hasRecipient', 'dpv:hasStorageCondition'])
      assert.ok(field in process, field)
    const ways = (record['dpv:hasConsentControl'] as { 'dct:title': string }[]).map((way) => way['dct:title'])
    assert.deepEqual(ways, ['page', 'contract call', 'desk', 'ombudsman'])
    assert.equal(record['dpv:hasLegalBasis'], 'eu-gdpr:A9-2-a')
    assert.equal(receiptOf({ terms: { ...TERMS, lawfulBasis: 'opt-out' } })['dpv:hasRecordOfActivity']['dpv:hasLegalBasis'], 'eu-gdpr:A9-2-j')
    // Every prefix that is used is told in the file: a reader of JSON-LD fetches nothing.
    const used = new Set(
      JSON.stringify(receipt)
        .match(/"(dpv|pd|dpv-pd|eu-gdpr|dct):/g)
        ?.map((prefix) => prefix.slice(1, -1)),
    )
    for (const prefix of used) assert.ok(prefix in receipt['@context'], prefix)
  })

  it('is refused when one character is altered, or says the same', () => {
    for (const [one, step] of [
      [receiptOf({ terms: null }), 1],
      [receipt, 7],
    ] as const) {
      const whole = text(one)
      let refused = 0
      for (let i = 0; i < whole.length; i += step) {
        const altered = whole.slice(0, i) + (i % 3 === 0 ? '' : whole[i] === '1' ? '2' : '1') + whole.slice(i + 1)
        if (readsTheSame(altered, whole)) continue
        assert.equal(readReceiptText(altered), null, `character ${i}`)
        refused++
      }
      assert.ok(refused > (0.8 * whole.length) / step, 'only layout may change')
    }
    assert.equal(readReceiptText(text(receipt).replace('"version": 2', '"version": 1')), null, 'a seal that nobody would look at')
  })

  it('is refused with a part of another', () => {
    const other = receiptOf({ secret: secretOf('Bob') })
    const elsewhere = receiptOf({ site: { id: 4, name: 'Southern Hospital' } })
    const changes: Partial<ReceiptV2>[] = [
      ...[{ secret: other.secret }, { tag: other.tag }, { seal: other.seal }, { card: other.card }, { card: null }, { site: elsewhere.site }],
      { seal: { ...receipt.seal, account: address(toHex(drawn('somebody', 20))) } },
      { seal: { ...receipt.seal, more: 1 } as never },
      { terms: null },
      { network: { ...receipt.network, chainId: 1 } },
      { inclusion: inclusionOf(fromHex(receipt.tag)) },
      { version: 3 as never },
    ]
    for (const change of changes) assert.equal(readReceiptText(text({ ...receipt, ...change })), null, JSON.stringify(change).slice(0, 80))
    for (const none of ['', '{}', 'null', '[]', '7', text({ ...receipt, seal: undefined })]) assert.equal(readReceiptText(none), null)
  })

  it('that somebody else seals anew shows whose key it was', () => {
    const nodeKey = drawn('another key')
    const forger = { nodeKey, account: address('0x'.padEnd(42, '1')) }
    const changed = { ...receipt, site: { id: 3, name: 'A better hospital' } }
    assert.equal(readReceiptText(text({ ...changed, seal: sealOf(changed, forger, domainOf(changed.network)) })), null, "under the site's name")
    assert.equal(readReceiptText(text({ ...changed, seal: { ...sealOf(changed, { nodeKey, account: SIGNER.account }, domainOf(changed.network)) } })), null)
  })

  it('is countersigned without its secret where the patient drew that', () => {
    const { secret, card, seal, ...rest } = receipt
    const content = receiptContent(rest, SIGNER)
    assert.ok(!('secret' in content) && isSealed(content, domainOf(content.network)))
    assert.deepEqual(completeReceipt(content, secretOf('Ann')), receipt)
    assert.doesNotMatch(JSON.stringify(content), new RegExp(secret))
  })

  it('shows its consent in the root that it names', () => {
    const inclusion = inclusionOf(fromHex(receipt.tag))
    assert.equal(showsInclusion(receipt), false)
    assert.ok(showsInclusion(receiptOf({ inclusion })))
    assert.deepEqual(readReceiptText(text(receiptOf({ inclusion }))), receiptOf({ inclusion }))
    assert.equal(showsInclusion(receiptOf({ inclusion: inclusionOf(drawn('tag 99')) })), false)
    assert.equal(showsInclusion(receiptOf({ inclusion: { ...inclusion, root: receipt.tag } })), false)
  })

  it('of version 1 is good as it was', () => {
    const { programme, tag, oneTimeAddress, secret, grantedAt, network } = receipt
    const old = { version: 1, programme, tag, oneTimeAddress, secret, grantedAt }
    assert.deepEqual(readReceiptText(text(old)), old)
    assert.ok(readReceiptText(text({ ...old, network: { chainId: 7, contracts: network.contracts } })))
    for (const wrong of [{ network: null }, { secret: '00' }, { oneTimeAddress: network.contracts }, { programme: 'other' }])
      assert.equal(readReceiptText(text({ ...old, ...wrong })), null)
  })
})

describe('canonical JSON', () => {
  it('is one text for one value', () => {
    assert.equal(canonicalJson({ b: [{ d: 1, c: null }], a: 'ä"\n', 'a-': undefined }), '{"a":"ä\\"\\n","b":[{"c":null,"d":1}]}')
    assert.equal(contentDigest({ a: 1, b: 2, secret: 'x' }), contentDigest({ b: 2, card: 'y', a: 1 }))
    assert.notEqual(contentDigest({ a: 1 }), contentDigest({ a: '1' }))
  })
})

describe('a confirmation of the desk', () => {
  const { programme, tag, network, site } = receipt
  const withdrawn: WithdrawnAtDesk = {
    ...{ number: tag.slice(2, 18), programme, tag, network, site, lawfulBasis: 'consent', withdrawnAt: '2027-03-01T14:05:00.000Z' },
    ...{ onChain: { block: 4_711 }, root: { epoch: 9, root: tag, block: 4_712 } },
  }

  it('reads as what was written, with a tag and without', () => {
    for (const one of [withdrawalReceipt(withdrawn, SIGNER), withdrawalReceipt({ ...withdrawn, tag: null, onChain: null, root: null }, SIGNER)])
      assert.deepEqual(readWithdrawalReceipt(text(one)), one)
    const away = withdrawalReceipt({ ...withdrawn, network: null }, SIGNER)
    assert.deepEqual([away.seal, readWithdrawalReceipt(text(away))], [null, null], 'not countersigned while the chain is away')
  })

  it('is refused when one character is altered', () => {
    const whole = text(withdrawalReceipt(withdrawn, SIGNER))
    for (let i = 0; i < whole.length; i += 5) {
      const altered = whole.slice(0, i) + (whole[i] === '1' ? '2' : '1') + whole.slice(i + 1)
      if (!readsTheSame(altered, whole)) assert.equal(readWithdrawalReceipt(altered), null, `character ${i}`)
    }
    for (const none of ['', '{}', 'null', text(receipt)]) assert.equal(readWithdrawalReceipt(none), null)
  })
})

/** Space between the parts says nothing. */
function readsTheSame(altered: string, whole: string): boolean {
  try {
    return canonicalJson(JSON.parse(altered)) === canonicalJson(JSON.parse(whole))
  } catch {
    return false
  }
}
