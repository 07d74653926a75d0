import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import process from 'node:process'
import { type Browser, launch, type Page } from 'puppeteer-core'

export type { Browser, Page } from 'puppeteer-core'

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/snap/bin/chromium']

/** A Chromium of this machine; another is named by ROTA_BROWSER. */
const found = [process.env['ROTA_BROWSER'] ?? '', ...PLACES].find((path) => path !== '' && existsSync(path))

/** Why tests in a browser are skipped; false where they run. */
export const noBrowser: string | false = found === undefined ? 'no Chromium on this machine (apt-get install chromium, or ROTA_BROWSER=PATH)' : false

/** A real browser that reaches this machine and nothing else. Whoever starts it closes it. */
export const startBrowser = (): Promise<Browser> =>
  launch({
    executablePath: found ?? '',
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-dev-shm-usage',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--no-first-run',
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost, EXCLUDE *.localhost',
    ],
  })

export interface PageOptions {
  readonly width?: number
  readonly height?: number
  readonly dark?: boolean
  /** BCP 47; what the browser asks for. */
  readonly language?: string
  /** 2 shows a page as at 200 % zoom: half as wide in its own pixels. */
  readonly zoom?: number
}

export interface WatchedPage {
  readonly page: Page
  /** What the page wrote to its console as an error, and exceptions that nobody caught. */
  readonly faults: readonly string[]
  /** Bytes over the wire, by URL. */
  readonly wire: ReadonlyMap<string, number>
  close(): Promise<void>
}

/** A page of its own profile, so that nothing is left of the one before. */
export async function openPage(
  browser: Browser,
  { width = 1280, height = 900, dark = false, language = 'en', zoom = 1 }: PageOptions = {},
): Promise<WatchedPage> {
  const context = await browser.createBrowserContext()
  const page = await context.newPage()
  const faults: string[] = []
  const wire = new Map<string, number>()
  page.on('console', (message) => void (message.type() === 'error' && faults.push(message.text())))
  page.on('pageerror', (error) => void faults.push(String(error)))
  const session = await page.createCDPSession()
  const urls = new Map<string, string>()
  await session.send('Network.enable')
  session.on('Network.requestWillBeSent', ({ requestId, request }) => void urls.set(requestId, request.url))
  session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    const url = urls.get(requestId) ?? requestId
    wire.set(url, (wire.get(url) ?? 0) + encodedDataLength)
  })
  await page.setViewport({ width: Math.round(width / zoom), height: Math.round(height / zoom), deviceScaleFactor: zoom })
  await setMode(page, dark)
  await session.send('Emulation.setLocaleOverride', { locale: language })
  await page.evaluateOnNewDocument(`Object.defineProperty(navigator, 'languages', { get: () => [${JSON.stringify(language)}] })`)
  return { page, faults, wire, close: () => context.close() }
}

/** Light or dark, as the system of a person who wants nothing to move: colours that fade from one to the other could not be judged. */
export const setMode = (page: Page, dark: boolean): Promise<void> =>
  page.emulateMediaFeatures([
    { name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' },
    { name: 'prefers-reduced-motion', value: 'reduce' },
  ])

let axe: Promise<string> | null = null
const axeSource = (): Promise<string> => (axe ??= readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'))

/** What axe finds against WCAG 2.2 AA and its own best practices, one line each; empty when all is well. */
export async function axeViolations(page: Page): Promise<readonly string[]> {
  await page.evaluate(await axeSource())
  return page.evaluate(async () => {
    type Found = { violations: { id: string; help: string; nodes: { target: unknown[]; html: string; failureSummary?: string }[] }[] }
    const { violations } = await (globalThis as unknown as { axe: { run(): Promise<Found> } }).axe.run()
    return violations.flatMap(({ id, help, nodes }) =>
      nodes.map(({ target, html, failureSummary }) => `${id}: ${help}: ${String(target)} ${html.slice(0, 160)} ${failureSummary ?? ''}`),
    )
  })
}

/** Whether the page is wider than its window: what a narrow or zoomed page must not be. */
export const scrollsSideways = (page: Page): Promise<boolean> =>
  page.evaluate('document.documentElement.scrollWidth > window.innerWidth + 1') as Promise<boolean>

/** All that is read on the page. */
export const textOf = (page: Page): Promise<string> => page.evaluate('document.body.innerText') as Promise<string>
