import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { drawQuestion } from '#app/audit/audit-sample.ts'
import { openCohort } from '#app/consent/consent-open.ts'
import { proveReceipt } from '#app/consent/consent-prove.ts'
import { sampleCohort } from '#app/consent/consent-sample.ts'
import { roundNo, runId } from '#base/ids.ts'
import type { CohortOpening } from '#core/consent/cohort-opening.ts'
import type { CohortProof } from '#core/consent/cohort-proof.ts'
import type { CohortQuestion, CohortSample } from '#core/consent/cohort-sample.ts'
import type { PortalServer } from '#web/portal/portal-server.ts'
import { axeViolations, type Browser, noBrowser, openPage, type Page, scrollsSideways, setMode, startBrowser, textOf } from '../support/browser.ts'
import { EVIL_NAME, type PatientWorld, PROGRAMME, patientWorld, termsWith } from './patient-world.ts'
import { portalDouble } from './portal-double.ts'

// given what a hospital showed of a round to an auditor and to the holder of a receipt, the portals of two hospitals, and a real browser
// ├── first view: under 300 kB, from the portals alone; axe finds nothing in light and dark, English and German, on a phone, at 200 %
// ├── members drawn by lot are checked with the keyboard alone; no file leaves the device
// ├── another programme, another question, a seed that nobody asked with, another number: refused, each by its name
// ├── a sample or a cohort that was altered does not hold, and the page says where, in German too
// ├── a proof is checked with its receipt; a receipt that was altered is told
// ├── portals that tell different things: nothing is concluded
// └── the same files work from anywhere; a portal that answers alone is told

const WAIT = { timeout: 20_000 }
const DRAWS = 40
const signal = new AbortController().signal

describe('the page that checks what a hospital showed', { skip: noBrowser, timeout: 240_000 }, () => {
  let world: PatientWorld
  let browser: Browser
  const doubles: PortalServer[] = []
  let shown: { question: CohortQuestion; sample: CohortSample; byBlock: CohortSample; opening: CohortOpening; proof: CohortProof }
  const at = { run: runId(1), round: roundNo(1) }

  before(async () => {
    ;[world, browser] = await Promise.all([patientWorld(2, undefined, (portals) => ({ ...termsWith(portals), lawfulBasis: 'consent' })), startBrowser()])
    await world.playRun()
    const { hospitals } = world
    const site = { folder: hospitals.folders[0] as string, password: null, signal }
    const question = await drawQuestion({ url: hospitals.chain.url, contracts: hospitals.contracts, signal, site: 0, ...at, draws: DRAWS })
    const sample = await sampleCohort({ ...site, asked: await file('question', question) })
    const byBlock = await sampleCohort({ ...site, asked: { ...at, draws: DRAWS } })
    const opening = await openCohort({ ...site, ...at })
    const proof = await proveReceipt({ ...site, ...at, receipt: receipt() })
    shown = { question, sample, byBlock, opening, proof }
    for (const [name, of] of Object.entries(shown)) await file(name, of)
  })
  after(async () => {
    await browser?.close()
    for (const server of doubles) await server.stop()
    await world?.stop()
  })

  const pathOf = (name: string): string => join(world.hospitals.dir, `${name}.json`)
  const receipt = (): string => join(world.hospitals.dir, 'receipts', world.receipts[0] as string)
  async function file(name: string, of: unknown): Promise<string> {
    await writeFile(pathOf(name), JSON.stringify(of))
    return pathOf(name)
  }
  async function open(query = '', language = 'en') {
    const watched = await openPage(browser, { language })
    await watched.page.goto(`${world.portals[0]}/check/${query}`)
    await watched.page.waitForSelector('input[name=file]', WAIT)
    return watched
  }
  async function give(page: Page, name: string, path: string): Promise<void> {
    const input = (await page.waitForSelector(`input[name=${name}]`, WAIT)) as { uploadFile(path: string): Promise<void> } | null
    await input?.uploadFile(path)
  }
  async function type(page: Page, name: string, text: string): Promise<void> {
    await page.waitForSelector(`input[name=${name}]`, WAIT)
    await page.$eval(`input[name=${name}]`, (input) => ((input as unknown as { value: string }).value = ''))
    await page.type(`input[name=${name}]`, text)
  }
  /** What the page says once it has checked. */
  async function checked(page: Page): Promise<string> {
    await page.waitForSelector('form button[type=submit][aria-busy=false]', WAIT)
    await page.evaluate(`document.querySelector('form button[type=submit]').click()`)
    await page.waitForSelector('.result .notice, .field .wrong', WAIT)
    return page.evaluate(`[...document.querySelectorAll('.result .notice, .field .wrong')].map((e) => e.innerText).join('\\n')`) as Promise<string>
  }

  it('is small, asks the portals alone, and everybody can use it', async () => {
    const { page, wire, faults, close } = await open()
    const urls = [...wire.keys()].filter((url) => !url.startsWith('data:'))
    assert.ok(
      urls.every((url) => world.portals.some((portal) => url.startsWith(portal))),
      urls.join('\n'),
    )
    const bytes = [...wire.values()].reduce((sum, each) => sum + each, 0)
    assert.ok(bytes > 30_000 && bytes <= 300_000, `${bytes} bytes`)
    await give(page, 'file', pathOf('byBlock'))
    await type(page, 'programme', PROGRAMME)
    await type(page, 'draws', String(DRAWS))
    assert.match(await checked(page), /^It holds/)
    const looks = async (where: string) => assert.deepEqual([await axeViolations(page), await scrollsSideways(page)], [[], false], where)
    await looks('English, light')
    await setMode(page, true)
    await looks('English, dark')
    await page.select('select.language', 'de')
    await page.waitForFunction(`document.body.innerText.includes('Es trifft zu')`, WAIT)
    await page.setViewport({ width: 360, height: 740 })
    await looks('German, dark, a phone')
    await setMode(page, false)
    await page.setViewport({ width: 640, height: 450, deviceScaleFactor: 2 })
    await looks('German, light, 200 %')
    assert.deepEqual(faults, [])
    await close()
  })

  it('checks members drawn by lot with the keyboard alone, and sends no file anywhere', async () => {
    const { page, wire, close } = await open()
    const tabTo = async (name: string): Promise<void> => {
      for (let i = 0; i < 20; i++) {
        if ((await page.evaluate('document.activeElement.name')) === name) return
        await page.keyboard.press('Tab')
      }
      assert.fail(`the keyboard does not reach ${name}`)
    }
    await tabTo('file')
    // The choice of a file is the system's own dialog.
    await give(page, 'file', pathOf('sample'))
    await tabTo('programme')
    await page.keyboard.type(PROGRAMME)
    await tabTo('question')
    await give(page, 'question', pathOf('question'))
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.waitForSelector('.result .notice', WAIT)
    const text = await textOf(page)
    assert.ok(text.includes(EVIL_NAME), 'what a member calls itself is text')
    assert.equal(await page.title(), 'Check what a hospital showed')
    assert.match(text, /It holds[\s\S]*round 1 of run 1, under “readmission”[\s\S]*40 places were drawn; \d+ of them are members[\s\S]*evidence, not certainty/)
    const secrets = shown.sample.drawn.flatMap((entry) => ('secret' in entry ? [entry.secret.slice(2)] : []))
    const urls = [...wire.keys()].join('\n')
    assert.ok(urls.includes('/api/withdrawn?') && secrets.length > 0 && secrets.every((secret) => !urls.includes(secret)))
    await close()
  })

  it('refuses what was not asked for, and another programme', async () => {
    const { page, close } = await open()
    await give(page, 'file', pathOf('sample'))
    assert.match(await checked(page), /Say under which programme the study is/)
    await type(page, 'programme', PROGRAMME)
    assert.match(await checked(page), /Choose your question too/)
    await give(page, 'question', await file('question-2', { ...shown.question, seed: `0x${'12'.repeat(32)}` }))
    assert.match(await checked(page), /answers another question than yours: its seed is another/)
    await give(page, 'question', pathOf('question'))
    await type(page, 'programme', 'research-2')
    assert.match(await checked(page), /shows consents under “readmission”, and you said “research-2”/)
    await give(page, 'file', pathOf('byBlock'))
    await type(page, 'programme', PROGRAMME)
    await type(page, 'draws', String(DRAWS + 1))
    assert.match(await checked(page), /shows 40 draws, and you demanded 41/)
    await give(page, 'file', pathOf('question'))
    await page.waitForFunction(`document.body.innerText.includes('none of these, or it is damaged')`, WAIT)
    await close()
  })

  it('says where a sample or a cohort does not hold', async () => {
    const { page, close } = await open()
    const { sample, opening } = shown
    await give(page, 'file', await file('reversed', { ...sample, drawn: sample.drawn.toReversed() }))
    await type(page, 'programme', PROGRAMME)
    await give(page, 'question', pathOf('question'))
    assert.match(await checked(page), /^It does not hold[\s\S]*Draw \d+: place \d+ of \d+ was drawn, and place \d+ is shown[\s\S]*more faults/)
    await page.select('select.language', 'de')
    await page.waitForFunction(`/Ziehung \\d+: Platz \\d+ von \\d+ wurde ausgelost, und Platz \\d+ wird gezeigt/.test(document.body.innerText)`, WAIT)
    await page.select('select.language', 'en')
    await give(page, 'file', pathOf('opening'))
    assert.match(await checked(page), new RegExp(`^It holds[\\s\\S]*All ${opening.secrets.length} members are shown, 0 of them without`))
    await give(page, 'file', await file('fewer', { ...opening, secrets: opening.secrets.slice(1) }))
    assert.match(await checked(page), /^It does not hold[\s\S]*the members shown are not the cohort that the hospital declared/)
    await close()
  })

  it('checks a proof with its receipt', async () => {
    const { page, close } = await open()
    await give(page, 'file', pathOf('proof'))
    assert.match(await checked(page), /Choose the receipt too/)
    await give(page, 'receipt', receipt())
    assert.match(await checked(page), /^It holds[\s\S]*The record was in the declared cohort: the hospital declared it as used\./)
    await give(page, 'receipt', join(world.hospitals.dir, 'receipts', world.receipts[1] as string))
    assert.match(await checked(page), /^It does not hold[\s\S]*it is about another receipt/)
    await give(page, 'file', await file('another-hospital', { ...shown.proof, site: shown.proof.site + 1, cohort: null }))
    await give(page, 'receipt', receipt())
    assert.match(await checked(page), /^It does not hold[\s\S]*it is about another hospital than the receipt/)
    await give(page, 'file', await file('altered', { ...shown.proof, secret: shown.proof.secret.replace(/.$/, (c) => (c === '0' ? '1' : '0')) }))
    await give(page, 'receipt', receipt())
    assert.match(await checked(page), /^It does not hold/)
    await close()
  })

  it('concludes nothing where portals tell different things', async () => {
    const double = await portalDouble(world.portals[0] as string, (real) => ({
      withdrawnUntil: async (programme, block) => ({
        withdrawn: [...(await real.withdrawnUntil(programme, block)).withdrawn, { tag: shown.proof.tag, block: 1, time: 1 }],
      }),
    }))
    doubles.push(double)
    const { page, close } = await open(`?portal=${encodeURIComponent(double.url)}`)
    await give(page, 'file', pathOf('opening'))
    await type(page, 'programme', PROGRAMME)
    assert.match(await checked(page), /It was not checked[\s\S]*different things/)
    await close()
  })

  it('works from anywhere as static files, and tells that one portal alone answers', async () => {
    const double = await portalDouble(world.portals[0] as string, (_, place) => ({ place: async () => ({ ...place, portals: [] }) }))
    doubles.push(double)
    const server = createServer(async (request, response) => {
      const name = basename(new URL(request.url ?? '/', 'http://x').pathname) || 'index.html'
      const type = name.endsWith('.js') ? 'text/javascript' : name.endsWith('.css') ? 'text/css' : 'text/html'
      response.writeHead(200, { 'content-type': type }).end(await readFile(join('node/web/pages/dist/check', name)).catch(() => ''))
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    const { page, close } = await openPage(browser)
    try {
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/?portal=${encodeURIComponent(double.url)}`)
      await give(page, 'file', pathOf('opening'))
      await type(page, 'programme', PROGRAMME)
      assert.match(await checked(page), /^It holds/)
      assert.match(await textOf(page), /Only one portal answers/)
    } finally {
      await close()
      server.close()
    }
  })
})
