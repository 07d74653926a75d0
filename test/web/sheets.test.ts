/**
 * What is handed out on paper, in a real browser
 * given a receipt of long terms with its history, in German; one without terms, in English; a confirmation of the desk; a name that is HTML
 * ├── each prints on one sheet of A4
 * ├── asks nobody for anything, runs nothing, and complains of nothing
 * ├── axe finds nothing, light and dark, on a telephone at 200 % too, where nothing is wider than the screen
 * └── a telephone reads the card off the screen
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import decodeQR from 'qr/decode.js'
import type { Terms } from '#core/consent/terms.ts'
import type { HistoryEntry } from '#patient/receipt-history.ts'
import { withdrawalReceipt } from '#patient/withdrawal-receipt.ts'
import { receiptSheet } from '#web/print/receipt-sheet.ts'
import { withdrawalSheet } from '#web/print/withdrawal-sheet.ts'
import { axeViolations, type Browser, noBrowser, openPage, setMode, startBrowser } from '../support/browser.ts'
import { receiptOf, SIGNER, TERMS } from '../unit/patient/receipts.ts'

const at = '2027-01-01T00:00:00Z'
const history: HistoryEntry[] = [
  { what: 'granted', at, terms: null },
  { what: 'used', at, run: 4, round: 2, rounds: 900 },
  { what: 'stopped here', at, road: 'page' },
  { what: 'withdrawn', at, block: 123_456, road: 'relayed in a batch' },
  { what: 'first round without', at, run: 4, round: 902, openedAtBlock: 123_460 },
  { what: 'updates kept', at, updates: 2, of: 900 },
]
const wordy = Object.fromEntries(Object.entries(TERMS.texts.de ?? {}).map(([part, text]) => [part, part === 'title' ? text : `${text} `.repeat(9).trim()]))
const longTerms: Terms = {
  ...TERMS,
  controllers: Array.from({ length: 8 }, (_, i) => ({
    name: `Universitätskrankenhaus ${i} mit einem langen Namen`,
    contact: 'Lange Straße 123, 12345 Eine Stadt',
  })),
  portals: ['a', 'b', 'c'].map((name) => `https://${name}-rather-long-name.of-a.university-hospital.example/rota/`),
  texts: { de: wordy as unknown as Terms['texts'][string] },
}
const HTML_NAME = '<img src="https://evil.example/x" onerror="document.title=1">'

const { tag, network, site } = receiptOf()
const confirmed = withdrawalReceipt(
  { ...{ number: tag.slice(2, 18), programme: 'cardio', lawfulBasis: 'consent', tag, withdrawnAt: at, network, site }, onChain: null, root: null },
  SIGNER,
)
const sheets: Readonly<Record<string, string>> = {
  'a receipt of long terms': receiptSheet(receiptOf({ terms: longTerms, history }), { language: 'de', holder: HTML_NAME }),
  'a receipt without terms': receiptSheet(receiptOf({ terms: null }), { language: 'en' }),
  'a confirmation': withdrawalSheet(confirmed, { language: 'de', holder: HTML_NAME }),
}

describe('sheets to print', { timeout: 60_000, skip: noBrowser }, () => {
  let browser: Browser
  const dir = mkdtempSync(join(tmpdir(), 'rota-sheets-'))
  before(async () => {
    browser = await startBrowser()
  })
  after(async () => {
    await browser?.close()
    rmSync(dir, { recursive: true, force: true })
  })

  for (const [name, html] of Object.entries(sheets))
    it(`${name} prints on one sheet of A4, and asks nobody`, async () => {
      const file = join(dir, 'sheet.html')
      writeFileSync(file, html)
      const url = pathToFileURL(file).href
      const { page, faults, wire, close } = await openPage(browser, { width: 390, height: 844, zoom: 2 })
      await page.goto(url)
      const printed = Buffer.from(await page.pdf({ preferCSSPageSize: true })).toString('latin1')
      assert.equal(printed.match(/\/Type\s*\/Page\b/g)?.length, 1)
      for (const dark of [false, true]) {
        await setMode(page, dark)
        assert.deepEqual(await axeViolations(page), [], dark ? 'dark' : 'light')
      }
      assert.equal(await page.evaluate('document.documentElement.scrollWidth <= innerWidth && document.images.length === 0'), true)
      assert.deepEqual([faults, [...wire.keys()].filter((asked) => asked !== url)], [[], []])
      await close()
    })

  it('a telephone reads the card off the screen', async () => {
    const receipt = receiptOf({ terms: longTerms })
    const file = join(dir, 'card.html')
    writeFileSync(file, receiptSheet(receipt, { language: 'de' }))
    const { page, close } = await openPage(browser, { dark: true })
    await page.goto(pathToFileURL(file).href)
    // The browser paints the code; its own canvas gives the dots back.
    const { size, dark } = (await page.evaluate(`(async () => {
      const svg = document.querySelector('.card svg')
      const size = 600
      const canvas = Object.assign(document.createElement('canvas'), { width: size, height: size })
      const context = canvas.getContext('2d')
      context.fillStyle = getComputedStyle(svg).backgroundColor
      context.fillRect(0, 0, size, size)
      context.scale(size / svg.viewBox.baseVal.width, size / svg.viewBox.baseVal.width)
      context.fillStyle = getComputedStyle(svg.querySelector('path')).fill
      context.fill(new Path2D(svg.querySelector('path').getAttribute('d')))
      const { data } = context.getImageData(0, 0, size, size)
      return { size, dark: Array.from({ length: size * size }, (_, i) => data[4 * i] < 128 ? '1' : '0').join('') }
    })()`)) as { size: number; dark: string }
    await close()
    const data = new Uint8Array(size * size * 4).fill(255)
    for (let i = 0; i < size * size; i++) if (dark[i] === '1') data.fill(0, 4 * i, 4 * i + 3)
    assert.equal(decodeQR({ width: size, height: size, data }), receipt.card)
  })
})
