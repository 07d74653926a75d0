import process from 'node:process'
import { type Browser, noBrowser, openPage, startBrowser } from '../../test/support/browser.ts'
import { makeDeskSite, startDeskAt } from '../../test/unit/desk/desk-site.ts'
import { patientWorld } from '../../test/web/patient-world.ts'
import { type Figure, figureOf } from './figures.ts'
import type { Row } from './row.ts'

const VIEWS = 11
const BAR_S = 1
const BAR_KB = 300

/** What one look at a page took, with nothing of it in the browser's cache. */
interface View {
  /** Seconds from the start of the navigation to the first text that is painted. */
  readonly firstTextS: number
  /** To the frame after the page shows what it was opened for. */
  readonly shownS: number
  readonly bytes: number
}

/** First views of the pages by a real browser: a patient's of a node that served a finished run, the one that checks, and the desk's. */
export async function pageRows(): Promise<Row[]> {
  if (noBrowser !== false) {
    process.stderr.write(`without pages: ${noBrowser}\n`)
    return []
  }
  const browser = await startBrowser()
  try {
    // How the person stands, and whether there is an identifier to write.
    const { patient, check } = await portalViews(browser)
    const desk = await deskViews(browser)
    return [
      ...rowsOf("patient's page: first view", patient, 'how the consent stands'),
      ...rowsOf('page that checks: first view', check, 'the choice of a file, with portals found'),
      ...rowsOf("desk's page: first view", desk, 'the way in'),
    ]
  } finally {
    await browser.close()
  }
}

async function portalViews(browser: Browser): Promise<Record<'patient' | 'check', readonly View[]>> {
  const world = await patientWorld()
  try {
    await world.playRun()
    const [card] = world.cards
    if (card === undefined) throw new TypeError('a card')
    const patient = await views(browser, world.link(card), '.notice .tag')
    return { patient, check: await views(browser, `${world.portals[0]}/check/`, 'input[name=file]') }
  } finally {
    await world.stop()
  }
}

async function deskViews(browser: Browser): Promise<readonly View[]> {
  const site = await makeDeskSite()
  const desk = await startDeskAt(site.folder)
  try {
    return await views(browser, desk.url, 'input[name=name]')
  } finally {
    await desk.stop()
    await site.stop()
  }
}

/** The first of them warms the server, and does not count. */
async function views(browser: Browser, url: string, shown: string): Promise<readonly View[]> {
  const all: View[] = []
  for (let i = 0; i <= VIEWS; i++) all.push(await view(browser, url, shown))
  return all.slice(1)
}

async function view(browser: Browser, url: string, shown: string): Promise<View> {
  const { page, wire, close } = await openPage(browser)
  try {
    await page.evaluateOnNewDocument(sees(shown))
    await page.goto(url)
    const [firstTextMs, shownMs] = (await (await page.waitForFunction(SEEN, { timeout: 20_000 })).jsonValue()) as [number, number]
    const bytes = [...wire.values()].reduce((sum, each) => sum + each, 0)
    return { firstTextS: firstTextMs / 1e3, shownS: shownMs / 1e3, bytes }
  } finally {
    await close()
  }
}

/** Runs in the page, before anything else: notes when it was there and a frame had been painted since. */
const sees = (selector: string): string => `(() => {
  const look = () => {
    if (globalThis.shownMs !== undefined || document.querySelector(${JSON.stringify(selector)}) === null) return
    requestAnimationFrame(() => requestAnimationFrame(() => (globalThis.shownMs ??= performance.now())))
  }
  new MutationObserver(look).observe(document, { childList: true, subtree: true })
})()`

/** Runs in the page. */
const SEEN = `(() => {
  const paint = performance.getEntriesByName('first-contentful-paint')[0]
  return paint !== undefined && globalThis.shownMs !== undefined && [paint.startTime, globalThis.shownMs]
})()`

function rowsOf(work: string, all: readonly View[], what: string): Row[] {
  const text = figureOf(all.map(({ firstTextS }) => firstTextS))
  return [
    row(
      `${work}, until it shows ${what}`,
      's',
      figureOf(all.map(({ shownS }) => shownS)),
      BAR_S,
      `first text after ${text.median.toFixed(2)} s; nothing in the cache, loopback`,
    ),
    row(`${work}, over the wire`, 'kB', figureOf(all.map(({ bytes }) => bytes / 1e3)), BAR_KB),
  ]
}

const row = (work: string, unit: string, rota: Figure, bar: number, note?: string): Row => ({
  ...{ work, unit, rota, bar, peers: [] },
  ...(note === undefined ? {} : { note }),
})
