/**
 * Pictures of the pages, as the docs show them, by a real browser at real portals and a real desk:
 *   node test/web/pictures.ts docs/pages        those of the docs
 *   node test/web/pictures.ts DIR --check        that of the page that checks alone
 *   node test/web/pictures.ts DIR --all         and each state in light and dark, English and German, on a phone, at 200 %, and as it prints
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { sampleCohort } from '#app/consent/consent-sample.ts'
import { roundNo, runId } from '#base/ids.ts'
import type { Terms } from '#core/consent/terms.ts'
import { axeViolations, type Browser, openPage, type Page, type PageOptions, scrollsSideways, setMode, startBrowser } from '../support/browser.ts'
import { HTML_NAME, makeDeskSite, PASSWORD, startDeskAt } from '../unit/desk/desk-site.ts'
import { bundle, consent, SYSTEM } from '../unit/fhir/support.ts'
import { PROGRAMME, patientWorld, termsWith } from './patient-world.ts'

const [folder = 'docs/pages', ...how] = process.argv.slice(2)
const isAll = how.includes('--all')
const only = how.includes('--check') ? 'check' : null
const WAIT = { timeout: 30_000 }
const DESK = { width: 820, height: 640 }

const says = (page: Page, text: string) => page.waitForFunction(`document.body.innerText.includes(${JSON.stringify(text)})`, WAIT)
const press = (page: Page, button: string) =>
  page.evaluate(`[...document.querySelectorAll('button')].find((b) => b.textContent.trim() === ${JSON.stringify(button)}).click()`)

/** @param whole the page from top to bottom, in place of the window */
async function shoot(page: Page, name: string, whole: boolean): Promise<void> {
  // Without the mark of what has the keyboard.
  await page.evaluate('document.activeElement?.blur?.(); scrollTo(0, 0)')
  await page.screenshot({ path: join(folder, `${name}.png`) as `${string}.png`, fullPage: whole })
}

/** A state in every way in which somebody may see it; says what axe finds. */
async function everyWay(page: Page, name: string, languages: readonly string[] = ['en', 'de']): Promise<void> {
  if (!isAll) return
  const before = page.viewport()
  const tell = async (way: string) => {
    await shoot(page, `${name}-${way}`, true)
    const [found, wide] = [await axeViolations(page), await scrollsSideways(page)]
    process.stdout.write(`${name} ${way}: axe ${found.length}${wide ? ', scrolls sideways' : ''}\n${found.map((line) => `  ${line}\n`).join('')}`)
  }
  for (const language of languages) {
    await page.select('select.language', language)
    await page.setViewport(DESK)
    for (const dark of [false, true]) {
      await setMode(page, dark)
      await tell(`${language}-${dark ? 'dark' : 'light'}`)
    }
    await setMode(page, false)
    await page.setViewport({ width: 360, height: 740 })
    await tell(`${language}-phone`)
    await page.setViewport({ width: 640, height: 450, deviceScaleFactor: 2 })
    await tell(`${language}-200`)
    await page.setViewport({ width: 718, height: 1000 })
    await page.emulateMediaType('print')
    await shoot(page, `${name}-${language}-print`, true)
    await page.emulateMediaType('screen')
  }
  await page.select('select.language', 'en')
  await page.setViewport(before ?? DESK)
}

/** Those of the tests without what tries to be more than text. */
function plainTerms(portals: readonly string[]): Terms {
  const { dataCategories, texts, ...terms } = termsWith(portals)
  const plain = (text: string): string => text.replace(/ ?<.*/, '')
  const parts = (of: object) => Object.fromEntries(Object.entries(of).map(([name, text]) => [name, plain(String(text))])) as unknown as Terms['texts'][string]
  return { ...terms, dataCategories: dataCategories.slice(0, 1), texts: Object.fromEntries(Object.entries(texts).map(([code, of]) => [code, parts(of)])) }
}

async function patientPictures(browser: Browser): Promise<void> {
  const world = await patientWorld(2, ['Heart Centre', 'Lakeside Clinic'], plainTerms)
  const open = async (i: number, options: PageOptions, language?: string) => {
    const watched = await openPage(browser, { ...options, language: language ?? 'en' })
    await watched.page.goto(world.link(world.cards[i] as never))
    await watched.page.waitForSelector('table.rounds', WAIT)
    await watched.page.waitForSelector('section[aria-busy=true]', { hidden: true, ...WAIT })
    return watched
  }
  try {
    await world.playRun()
    for (const [name, options, language] of [
      ['patient', { width: 900, height: 1100 }, 'en'],
      ['patient-phone', { width: 360, height: 760 }, 'en'],
      ['patient-dark', { width: 900, height: 1100, dark: true }, 'de'],
    ] as const) {
      const { page, close } = await open(0, options, language)
      await shoot(page, name, false)
      if (name === 'patient') await everyWay(page, name)
      await close()
    }
    const { page, close } = await open(1, { width: 900, height: 1000 })
    await press(page, 'Object to the use of my record')
    await page.waitForSelector('dialog[open]', WAIT)
    if (isAll) await shoot(page, 'patient-sure', false)
    await press(page, 'Yes, withdraw')
    await says(page, 'kept its word.')
    await says(page, 'Make a new card')
    await shoot(page, 'patient-withdrawn', false)
    await everyWay(page, 'patient-withdrawn')
    await press(page, 'Make a new card')
    await page.waitForSelector('svg.qr', WAIT)
    await everyWay(page, 'patient-again')
    await close()
    const none = await openPage(browser, DESK)
    await none.page.goto(world.portals[0] as string)
    await says(none.page, 'Open this page with your card')
    await everyWay(none.page, 'patient-no-card')
    await none.close()
  } finally {
    await world.stop()
  }
}

/** Members drawn by lot, as an auditor checks them. */
async function checkPictures(browser: Browser): Promise<void> {
  const world = await patientWorld(2, ['Heart Centre', 'Lakeside Clinic'], (portals) => ({ ...plainTerms(portals), lawfulBasis: 'consent' }))
  const { page, close } = await openPage(browser, DESK)
  try {
    await world.playRun()
    const { folders, dir } = world.hospitals
    const site = { folder: folders[0] as string, password: null, signal: new AbortController().signal }
    const file = join(dir, 'sample.json')
    await writeFile(file, JSON.stringify(await sampleCohort({ ...site, asked: { run: runId(1), round: roundNo(1), draws: 60 } })))
    await page.goto(`${world.portals[0]}/check/`)
    const input = (await page.waitForSelector('input[name=file]', WAIT)) as { uploadFile(path: string): Promise<void> } | null
    await everyWay(page, 'check-first')
    await input?.uploadFile(file)
    await page.waitForSelector('input[name=draws]', WAIT)
    await page.type('input[name=programme]', PROGRAMME)
    await page.type('input[name=draws]', '60')
    await press(page, 'Check')
    await says(page, 'It holds')
    await shoot(page, 'check', true)
    await everyWay(page, 'check')
  } finally {
    await close()
    await world.stop()
  }
}

async function deskPictures(browser: Browser): Promise<void> {
  const site = await makeDeskSite()
  await writeFile(join(site.folder, 'fhir.yaml'), `patient: { system: '${SYSTEM}' }\n`)
  const codes = await site.addUser('anna')
  const desk = await startDeskAt(site.folder)
  const { page, close } = await openPage(browser, DESK)
  const type = async (selector: string, text: string) => {
    await page.$eval(selector, (input) => ((input as unknown as { value: string }).value = ''))
    await page.type(selector, text)
  }
  try {
    await page.goto(desk.url)
    await says(page, 'Desk of Basel')
    await shoot(page, 'desk-login', true)
    await everyWay(page, 'desk-login')
    await type('input[name=name]', 'anna')
    await type('input[name=password]', PASSWORD)
    await type('input[name=code]', codes())
    await page.keyboard.press('Enter')
    await says(page, 'Identifier in the hospital')
    await type('main input', '4711')
    await page.keyboard.press('Enter')
    await says(page, 'Not agreed')
    await press(page, 'Record consent')
    await page.waitForSelector('dialog[open]', WAIT)
    if (isAll) await shoot(page, 'desk-sure', false)
    await page.evaluate(`document.querySelector('dialog button').click()`)
    await says(page, 'Consent is recorded')
    await says(page, 'Lost card')
    await shoot(page, 'desk-person', true)
    await everyWay(page, 'desk-person')
    await press(page, 'Withdraw')
    await page.waitForSelector('dialog[open]', WAIT)
    await page.evaluate(`document.querySelector('dialog button').click()`)
    await says(page, 'Print the confirmation again')
    await shoot(page, 'desk-withdrawn', true)
    await everyWay(page, 'desk-withdrawn')
    await page.goto(`${desk.url}/#import`)
    await says(page, 'FHIR file')
    await importPicture(page, site.dir)
  } finally {
    await close()
    await desk.stop()
    await site.stop()
  }
}

async function importPicture(page: Page, dir: string): Promise<void> {
  const of = (id: string, value: string, change: object = {}) => ({
    resource: consent({ id, patient: { identifier: { system: SYSTEM, value } }, ...change }),
  })
  const file = join(dir, 'consents.json')
  const [later, other] = [{ dateTime: '2040-01-01' }, { modifierExtension: [{ url: 'urn:x' }] }]
  const more = isAll ? [of('e', HTML_NAME), of('f', '4712', { status: 'inactive' }), of('g', '9', { scope: { coding: [{ system: 'urn:s', code: 'x' }] } })] : []
  await writeFile(file, bundle([of('a', '4713'), of('b', '4712'), of('c', '4714', later), of('d', '9', other), ...more]))
  const input = (await page.$('input[type=file]')) as { uploadFile(path: string): Promise<void> } | null
  await input?.uploadFile(file)
  await press(page, 'Show what would happen')
  await says(page, 'What to do about what is refused')
  await shoot(page, 'desk-import', true)
  await everyWay(page, 'desk-import')
}

await mkdir(folder, { recursive: true })
const browser = await startBrowser()
try {
  if (only !== 'check') await patientPictures(browser)
  await checkPictures(browser)
  if (only !== 'check') await deskPictures(browser)
} finally {
  await browser.close()
}
