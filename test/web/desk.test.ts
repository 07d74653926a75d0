/**
 * The desk's page in a real browser, with a real site and chain
 * ├── axe finds nothing on the way in, a person, the import and its preview; neither dark, nor narrow, nor at 200 %; nothing scrolls sideways
 * ├── signing in, finding, recording, withdrawing, a confirmation once more and the way out with the keyboard alone; what went wrong is read out
 * ├── a patient's name of HTML is text; no request leaves the desk, and no policy is broken
 * ├── an import shows what it would do, what is refused, why, and what to do, in the reader's language, before anything is recorded
 * └── whoever leaves the screen alone leaves nothing on it
 */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import {
  axeViolations,
  type Browser,
  noBrowser,
  openPage,
  type Page,
  scrollsSideways,
  setMode,
  startBrowser,
  textOf,
  type WatchedPage,
} from '../support/browser.ts'
import { HTML_NAME, makeDeskSite, PASSWORD, startDeskAt } from '../unit/desk/desk-site.ts'
import { bundle, consent, SYSTEM } from '../unit/fhir/support.ts'

/** Runs in the page. */
const FOCUSED = `(() => {
  const on = document.activeElement
  const label = on.id === '' ? null : document.querySelector('label[for="' + on.id + '"]')
  return (on.getAttribute('aria-label') ?? label?.textContent ?? on.textContent ?? '').trim()
})()`

/** Runs in the page: the server says that a session lasts four seconds. */
const SHORT_SESSION = `(() => {
  const real = globalThis.fetch
  globalThis.fetch = async (url, asked) => {
    const answer = await real(url, asked)
    if (url !== 'api/sign-in' || !answer.ok) return answer
    return Response.json({ ...(await answer.json()), idleMs: 4_000 })
  }
})()`

const SHOTS = process.env['ROTA_SHOTS']

describe('the desk in a browser', { skip: noBrowser, timeout: 120_000 }, () => {
  let site: Awaited<ReturnType<typeof makeDeskSite>>
  let desk: Awaited<ReturnType<typeof startDeskAt>>
  let browser: Browser
  let watched: WatchedPage
  let page: Page
  let codes: (atMs?: number) => string

  before(async () => {
    site = await makeDeskSite()
    await writeFile(join(site.folder, 'fhir.yaml'), `patient: { system: '${SYSTEM}' }\n`)
    codes = await site.addUser('anna')
    desk = await startDeskAt(site.folder)
    browser = await startBrowser()
    watched = await openPage(browser)
    page = watched.page
  })
  after(async () => {
    await browser?.close()
    await desk?.stop()
    await site?.stop()
  })

  const reads = (text: string) => page.waitForFunction(`document.body.innerText.includes(${JSON.stringify(text)})`, { timeout: 20_000 })
  /** The name of what has the focus, as far as the test needs it: its label, or its text. */
  const focused = (): Promise<string> => page.evaluate(FOCUSED) as Promise<string>
  /** Tab until something of this name has the focus: what is not reached by keyboard is not there. */
  async function tabTo(name: string): Promise<void> {
    for (let i = 0; i < 30; i++) {
      if ((await focused()).startsWith(name)) return
      await page.keyboard.press('Tab')
    }
    assert.fail(`${name} is not reached; on ${await focused()}`)
  }
  async function press(name: string): Promise<void> {
    await tabTo(name)
    await page.keyboard.press('Enter')
  }
  async function write(name: string, text: string): Promise<void> {
    await tabTo(name)
    await page.keyboard.type(text)
  }
  const sound = async (name: string): Promise<void> => {
    assert.deepEqual(await axeViolations(page), [], name)
    assert.equal(await scrollsSideways(page), false, name)
    if (SHOTS !== undefined) await page.screenshot({ path: join(SHOTS, `desk-${name}.png`) as `${string}.png`, fullPage: true })
  }

  it('lets in with the keyboard alone, and reads out what went wrong', async () => {
    await page.goto(desk.url)
    await reads('Desk of Basel')
    await sound('login')
    await write('Your name here', 'anna')
    await write('Password', PASSWORD)
    await write('Code of the app', '000000')
    await page.keyboard.press('Enter')
    await page.waitForSelector('[role=alert]')
    assert.match(await textOf(page), /name, password or code is wrong/)
    await page.waitForFunction(`document.activeElement.name === 'name'`)
    await sound('refused')
    await write('Code of the app', codes())
    await page.keyboard.press('Enter')
    await reads('Identifier in the hospital')
  })

  it('records and withdraws with the keyboard alone', async () => {
    await write('Identifier', '4711')
    await page.keyboard.press('Enter')
    await reads('Not agreed')
    // The person found is read out.
    await page.waitForFunction(`document.activeElement.id === 'found'`)
    assert.equal(await focused(), '4711')
    await sound('person')
    await press('Record consent')
    await page.waitForSelector('dialog[open]')
    await sound('ask')
    await page.keyboard.press('Escape')
    await page.waitForFunction(`document.querySelector('dialog h2').textContent === ''`)
    await press('Record consent')
    await page.waitForSelector('dialog[open]')
    await press('Record consent')
    await reads('Consent is recorded')
    await sound('recorded')
    const print = await page.$eval('a[href^="print/"]', (a) => a.href)
    const isThere = (url: string): Promise<boolean> => page.evaluate(async (at) => !(await fetch(at)).redirected, url)
    assert.equal(await isThere(print), true)
    await press('Handed over')
    await reads('nothing of it is kept here')
    assert.equal(await isThere(print), false)
    await reads('Agreed')
    await press('Withdraw')
    await page.waitForSelector('dialog[open]')
    await press('Withdraw')
    await reads('Withdrawn: the record is not used any more')
    await sound('withdrawn')
    await press('Handed over')
    await reads('nothing of it is kept here')
    await press('Print the confirmation again')
    await reads('The confirmation is ready')
    // Read out, like what was done before it.
    await page.waitForFunction(`document.activeElement.id === 'found'`)
    const again = await page.$eval('a[href^="print/"]', (a) => a.href)
    assert.equal(await isThere(again), true)
    await sound('confirmation-again')
    await page.select('select.language', 'de')
    await reads('Die Bestätigung ist bereit')
    await reads('Bestätigung noch einmal drucken')
    await reads('Bestätigung des Widerrufs (öffnet')
    await page.select('select.language', 'en')
    await reads('The confirmation is ready')
  })

  it('shows a name of HTML as text', async () => {
    await page.$eval('search input', (input) => (input.value = ''))
    await write('Identifier', HTML_NAME)
    await page.keyboard.press('Enter')
    await page.waitForFunction(`document.querySelector('#found')?.textContent === ${JSON.stringify(HTML_NAME)}`)
    assert.equal(await page.$('main img'), null)
  })

  it('shows what an import would do before it does it', async () => {
    await press('Import')
    await reads('FHIR file')
    await press('Show what would happen')
    await reads('Choose a file.')
    await sound('import-empty')
    const of = (id: string, value: string, change: object = {}) => ({
      resource: consent({ id, patient: { identifier: { system: SYSTEM, value } }, ...change }),
    })
    const file = join(site.dir, 'consents.json')
    await writeFile(file, bundle([of('a', '4713'), of('b', HTML_NAME), of('c', '4712'), of('d', '9', { modifierExtension: [{ url: 'urn:x' }] })]))
    const input = await page.$('input[type=file]')
    await input?.uploadFile(file)
    await press('Show what would happen')
    await reads('What would happen')
    await reads('refused: 1')
    assert.match(await textOf(page), /modifierExtension/)
    await sound('import')
    // What is refused, why, and what to do: nothing of it stays in the server's English.
    await page.select('select.language', 'de')
    for (const part of [
      'Ändert die Bedeutung auf eine Weise',
      '(eine Erweiterung ändert, was es bedeutet)',
      'Das kann nur eintragen',
      'eine neue Einwilligung',
    ])
      await reads(part)
    assert.doesNotMatch(await textOf(page), /extension changes|a new consent|person who has read it/)
    await page.select('select.language', 'en')
    await press('Record the rest')
    await reads('Cards to print')
    await sound('imported')
  })

  it('is as good in the dark, narrow, at 200 % and in German', async () => {
    await watched.page.setViewport({ width: 320, height: 700 })
    await setMode(page, true)
    await page.select('select.language', 'de')
    await reads('Importiert')
    assert.equal(await page.evaluate('document.documentElement.lang'), 'de')
    await sound('dark-narrow')
    await page.setViewport({ width: 640, height: 450, deviceScaleFactor: 2 })
    await sound('zoomed')
    await press('Abmelden')
    await reads('Ihr Name hier')
    await sound('dark-login')
    const refused = watched.faults.filter((fault) => !/40[14]/.test(fault))
    assert.deepEqual(refused, [], 'what a policy forbids would stand here')
    const elsewhere = [...watched.wire.keys()].filter((url) => !url.startsWith(desk.url) && !url.startsWith('data:'))
    assert.deepEqual(elsewhere, [])
    const first = ['/', '/page.css', '/page.js', '/api/session'].map((path) => watched.wire.get(new URL(path, desk.url).href) ?? 0)
    assert.ok(first.every((bytes) => bytes > 0) && first.reduce((a, b) => a + b) < 300_000, String(first))
  })

  it('clears the screen when nobody has used it for as long as a session lasts', async () => {
    await page.evaluateOnNewDocument(SHORT_SESSION)
    await page.goto(`${desk.url}/?lang=en`)
    await reads('Desk of Basel')
    await write('Your name here', 'anna')
    await write('Password', PASSWORD)
    await write('Code of the app', codes(Date.now() + 30_000))
    await page.keyboard.press('Enter')
    await reads('Identifier in the hospital')
    await write('Identifier', '4711')
    await page.keyboard.press('Enter')
    await reads('Nobody is signed in here')
    assert.doesNotMatch(await textOf(page), /4711/)
  })
})
