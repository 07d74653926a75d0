import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { encodeQR } from 'qr'
import decodeQR from 'qr/decode.js'
import { printReceipts } from '#app/consent/receipt-print.ts'
import { fromHex } from '#base/bytes.ts'
import { isRotaError } from '#base/errors.ts'
import type { Terms } from '#core/consent/terms.ts'
import { readCardLink } from '#patient/card.ts'
import { readReceiptText, receiptNumber } from '#patient/receipt.ts'
import type { HistoryEntry } from '#patient/receipt-history.ts'
import { withdrawalReceipt } from '#patient/withdrawal-receipt.ts'
import { cardCode } from '#web/print/card-code.ts'
import { onSheet, receiptSheet } from '#web/print/receipt-sheet.ts'
import { withdrawalSheet } from '#web/print/withdrawal-sheet.ts'
import { languages, wordsIn } from '#web/print/words.ts'
import { inclusionOf, receiptOf, SIGNER, TERMS } from '../patient/receipts.ts'

// given a receipt or a confirmation, and a language
// ├── the sheet is in that language, says what was agreed, the four ways, and the limits
// ├── its code is the card's link
// ├── no script, no request, nothing that anybody wrote is markup, whatever stands in names
// ├── what does not fit on a sheet is shortened, and says so
// └── languages have the same words
// given files: sheets are made again beside them; an altered receipt, one of version 1, another language are refused by name

const receipt = receiptOf()
const inLanguage = (texts: Terms['texts']): Terms => ({ ...TERMS, texts })

const confirmation = withdrawalReceipt(
  {
    ...{ number: receipt.tag.slice(2, 18), programme: 'cardio', lawfulBasis: 'consent', tag: receipt.tag, withdrawnAt: '2027-03-01T14:05:00.000Z' },
    ...{ network: receipt.network, site: receipt.site, onChain: { block: 4_711 }, root: null },
  },
  SIGNER,
)

describe('the sheet of a receipt', () => {
  it('says what was agreed, the four ways and the limits, in its language', () => {
    for (const [language, limits] of [
      ['en', [/pseudonymous/, /the hospital declared/, /finished before stay/]],
      ['de', [/pseudonym/, /das Krankenhaus .*erklärt hat/, /vorher fertig waren/]],
    ] as const) {
      const page = receiptSheet(receipt, { language })
      const text = TERMS.texts[language] ?? assert.fail()
      for (const part of Object.values(text)) assert.ok(page.includes(part), part)
      for (const limit of limits) assert.ok(limit.test(page), String(limit))
      for (const what of ['Northern Hospital', 'Dr. Ada Muster', receipt.network.consentRegistry, 'Patients’ Office of the North', receipt.seal.digest])
        assert.ok(page.includes(what), what)
      assert.ok(page.includes(receiptNumber(receipt)) && page.startsWith('<!doctype html>') && page.includes(`<html lang="${language}">`))
    }
    const stands = receiptSheet(receiptOf({ inclusion: inclusionOf(fromHex(receipt.tag)) }), { language: 'en' })
    assert.ok(stands.includes('epoch 7, block 1234'))
    const objecting = receiptSheet(receiptOf({ terms: { ...TERMS, lawfulBasis: 'opt-out' } }), { language: 'en' })
    assert.ok(objecting.includes('Objecting: four ways') && objecting.includes('or until you object'))
    assert.ok(receiptSheet(receiptOf({ terms: null }), { language: 'en' }).includes('no terms on the chain'))
  })

  it('says what happened, as far as it knows the word for it', () => {
    const at = '2027-01-01T00:00:00Z'
    const history: HistoryEntry[] = [
      { what: 'granted', at, terms: null },
      { what: 'used', at, run: 4, round: 2, rounds: 9 },
      { what: 'stopped here', at, road: 'page' },
      { what: 'withdrawn', at, block: 77, road: 'relayed' },
      { what: 'updates kept', at, updates: 2, of: 9 },
      { what: '<b>of a later version' as 'granted', at, terms: null },
      { what: 'on chain', at, epoch: '<script>alert(1)</script>' as never, root: receipt.tag, block: 1 },
    ]
    const page = receiptSheet(receiptOf({ history }), { language: 'de' })
    for (const what of ['Was bisher geschah', 'zuerst genutzt in Runde 2 von Lauf 4; insgesamt in 9 Runden', 'über die Seite', 'Block 77', 'von 9 Beiträgen'])
      assert.ok(page.includes(what), what)
    assert.ok(!page.includes('<script') && !page.includes('later version') && page.includes('&lt;script&gt;'))
    assert.deepEqual(readReceiptText(JSON.stringify(receiptOf({ history }))), receiptOf({ history }))
  })

  it('has the code of the card', () => {
    assert.ok(receiptSheet(receipt, { language: 'en' }).includes(cardCode(receipt.card ?? '', 'Your page')))
    const dots = encodeQR(receipt.card ?? '', 'raw', { ecc: 'medium', border: 4 })
    const read = decodeQR(pixelsOf(dots, 3))
    assert.equal(read, receipt.card)
    assert.ok(readCardLink(read))
    assert.ok(!receiptSheet(receiptOf({ terms: null }), { language: 'en' }).includes('<svg'))
  })

  it('holds no script and asks nobody, and what people wrote is text', () => {
    const evil = '"><script>alert(1)</script><img src=x onerror=alert(2)>\'&'
    const texts = { en: { title: evil, purpose: evil, data: evil, withdrawing: evil, limits: evil } }
    const terms: Terms = {
      ...inLanguage(texts),
      ...{ controllers: [{ name: evil, contact: evil }], dataProtectionOfficer: { name: evil, email: evil }, dataCategories: [evil] },
      ...{ ombudsman: { name: evil, address: receipt.network.contracts }, portals: [`https://a.example/${evil}`, 'javascript:alert(3)'] },
    }
    const pages = [
      receiptSheet(receiptOf({ terms, programme: evil, site: { id: 1, name: evil } }), { language: 'en', holder: evil }),
      receiptSheet(receiptOf({ terms: { ...terms, portals: ['javascript:alert(3)'] }, site: { id: 1, name: evil } }), { language: evil, holder: evil }),
      withdrawalSheet({ ...confirmation, programme: evil, site: { id: 1, name: evil } }, { language: 'de', holder: evil }),
    ]
    for (const page of pages) {
      assert.ok(!/<script|<img|<iframe|<link|<form|href="javascript|url\(|@import/i.test(page))
      assert.ok(!/<[^>]*\son\w+=/i.test(page.replace(/"[^"]*"/g, '""')), 'no handler')
      assert.ok(page.includes(`Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"`))
      assert.ok(page.includes('&lt;script&gt;alert(1)&lt;/script&gt;'))
    }
  })

  it('shortens what does not fit, and says so', () => {
    const long = { ...(TERMS.texts.de ?? assert.fail()), data: 'Wörter und mehr Wörter. '.repeat(300).trim() }
    const { text, cut } = onSheet(inLanguage({ de: long }), 'en')
    assert.ok(cut && text.data.length < 1_500 && text.data.endsWith(' …') && text.title === long.title)
    assert.ok(receiptSheet(receiptOf({ terms: inLanguage({ de: long }) }), { language: 'de' }).includes('Gekürzt, damit es auf dieses Blatt passt'))
    assert.equal(onSheet(TERMS, 'en').cut, false)
    assert.equal(onSheet(TERMS, 'fr').text.title, TERMS.texts.en?.title)
  })
})

describe('the sheet of a confirmation', () => {
  it('says that the use stopped, and whether the chain knows', () => {
    assert.match(withdrawalSheet(confirmation, { language: 'en' }), /Northern Hospital stopped using your record on 1 March 2027[\s\S]*since block 4711/)
    assert.match(withdrawalSheet({ ...confirmation, onChain: null }, { language: 'en' }), /is not withdrawn on the chain yet/)
    assert.match(
      withdrawalSheet({ ...confirmation, tag: null, lawfulBasis: 'opt-out' }, { language: 'de' }),
      /Ihr Widerspruch ist eingetragen[\s\S]*nie eine Quittung/,
    )
    assert.match(withdrawalSheet({ ...confirmation, seal: null }, { language: 'en' }), /Not countersigned yet/)
  })
})

describe('the languages of sheets', () => {
  it('have the same words', () => {
    assert.deepEqual(languages(), ['de', 'en'])
    const keys = (of: unknown, path = ''): string[] =>
      typeof of === 'object' && of !== null ? Object.entries(of).flatMap(([key, value]) => keys(value, `${path}.${key}`)) : [`${path} ${placesIn(String(of))}`]
    for (const language of languages()) assert.deepEqual(keys(wordsIn(language)), keys(wordsIn('en')), language)
    assert.deepEqual([wordsIn('de-AT').language, wordsIn('xx').language], ['de', 'en'])
  })
})

describe('rota consent print', () => {
  const dir = mkdtempSync(join(tmpdir(), 'rota-sheets-'))
  after(() => rmSync(dir, { recursive: true, force: true }))
  const file = (name: string, of: object | string) => {
    writeFileSync(join(dir, name), typeof of === 'string' ? of : JSON.stringify(of))
    return join(dir, name)
  }

  it('makes sheets again, in any language', async () => {
    const [printed] = await printReceipts([file('receipt-1.json', receipt)], 'de')
    assert.equal(printed?.sheet, join(dir, 'receipt-1.html'))
    assert.equal(readFileSync(printed?.sheet ?? '', 'utf8'), receiptSheet(receipt, { language: 'de' }))
    await printReceipts([file('receipt-1.json', receiptOf({ terms: inLanguage({ de: TERMS.texts.de ?? assert.fail() }) }))])
    assert.match(readFileSync(printed?.sheet ?? '', 'utf8'), /lang="de"/, "the terms' own language")
  })

  it('refuses by name what it cannot print', async () => {
    const { programme, tag, oneTimeAddress, secret, grantedAt } = receipt
    const refused = (name: string, of: object | string, code: string, language?: string) =>
      assert.rejects(printReceipts([file(name, of)], language), (error) => isRotaError(error) && error.code === code)
    await refused('altered.json', JSON.stringify(receipt).replace('Northern', 'Southern'), 'ROTA-6001')
    await refused('old.json', { version: 1, programme, tag, oneTimeAddress, secret, grantedAt }, 'ROTA-6022')
    await refused('good.json', receipt, 'ROTA-6023', 'tlh')
    await refused('good.json', receipt, 'ROTA-6023', '../../package')
  })
})

const placesIn = (text: string): string => (text.match(/\{\w+\}/g) ?? []).sort().join(' ')

/** Dots as a picture, black on white. */
function pixelsOf(dots: readonly (readonly boolean[])[], scale: number): { width: number; height: number; data: Uint8Array } {
  const size = dots.length * scale
  const data = new Uint8Array(size * size * 4).fill(255)
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) if (dots[Math.floor(y / scale)]?.[Math.floor(x / scale)]) data.fill(0, 4 * (y * size + x), 4 * (y * size + x) + 3)
  return { width: size, height: size, data }
}
