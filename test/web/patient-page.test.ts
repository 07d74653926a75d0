import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { proveReceipt } from '#app/consent/consent-prove.ts'
import { withdrawAtDesk } from '#app/consent/withdraw-at-desk.ts'
import { openSiteFolder } from '#app/site/site-folder.ts'
import { roundNo, runId } from '#base/ids.ts'
import type { Card } from '#patient/card.ts'
import { consentKeys, programmeId } from '#patient/keys.ts'
import { ASK_ROUNDS, askAgain, type Place, type WithdrawalState } from '#patient/portal-api.ts'
import { isRequest, signRequest } from '#patient/request.ts'
import { consentDomain } from '#patient/typed-data.ts'
import type { PortalServer } from '#web/portal/portal-server.ts'
import {
  axeViolations,
  type Browser,
  noBrowser,
  openPage,
  type Page,
  type PageOptions,
  scrollsSideways,
  setMode,
  startBrowser,
  textOf,
  type WatchedPage,
} from '../support/browser.ts'
import { EVIL_NAME, PATIENTS, type PatientWorld, patientWorld } from './patient-world.ts'
import { emptyWord, portalDouble } from './portal-double.ts'

// given a patient with a card, two hospitals whose nodes serve portals and finished a run, and a real browser
// ├── first view: under 300 kB, from the portals alone; the key leaves the address bar; rounds are checked; names are text
// ├── axe finds nothing in light and dark, English and German; a phone and 200 % zoom do not scroll sideways
// ├── a whole withdrawal with the keyboard only; the page shows how the relay kept its word; consent given again makes a new card
// ├── a relay that swallows the withdrawal is found out, and the next one does it
// ├── one that wants longer than the terms allow is not waited for
// ├── one that promises an hour need not be waited for
// ├── portals that tell different things: nothing is concluded
// ├── a clock that is hours off changes nothing
// ├── a proof from a file is checked; one altered character is told
// ├── a card with one altered character is told apart; no portal in reach is said with what to do
// ├── a withdrawal at the desk is shown, though it has no tag on chain; a stranger's card gets nothing, a finder's card undoes nothing
// └── the same files work from anywhere

const WAIT = { timeout: 20_000 }

describe("the patient's page", { skip: noBrowser, timeout: 240_000 }, () => {
  let world: PatientWorld
  let browser: Browser

  before(async () => {
    ;[world, browser] = await Promise.all([patientWorld(), startBrowser()])
    await world.playRun()
  })
  const doubles: PortalServer[] = []
  const double = async (...how: Parameters<typeof portalDouble>): Promise<PortalServer> => {
    const server = await portalDouble(...how)
    doubles.push(server)
    return server
  }
  after(async () => {
    await browser?.close()
    for (const server of doubles) await server.stop()
    await world?.stop()
  })

  const card = (i: number): Card => world.cards[i] as Card
  /** Until the rounds are there. */
  async function open(link: string, options: PageOptions = {}): Promise<WatchedPage> {
    const watched = await openPage(browser, options)
    await watched.page.goto(link)
    await watched.page.waitForSelector('#rounds + p + p, .notice.bad', WAIT)
    await watched.page.waitForSelector('section[aria-busy=true]', { hidden: true, ...WAIT })
    return watched
  }
  const says = (page: Page, text: string) => page.waitForFunction(`document.body.innerText.includes(${JSON.stringify(text)})`, WAIT)
  const press = async (page: Page, button: string) => {
    await page.evaluate(`[...document.querySelectorAll('button')].find((b) => b.textContent.trim() === ${JSON.stringify(button)}).click()`)
  }
  /** With the keyboard alone, as far as one must. */
  async function tabTo(page: Page, label: string): Promise<void> {
    for (let i = 0; i < 30; i++) {
      await page.keyboard.press('Tab')
      if ((await page.evaluate('document.activeElement.textContent.trim()')) === label) return
    }
    assert.fail(`the keyboard does not reach ${label}`)
  }
  const stateOf = async ({ secret, programme }: Card) => {
    const { tag } = consentKeys(secret, programme)
    return (await (await fetch(`${world.portals[1]}/api/withdrawals/${programmeId(programme)}/${tag}`)).json()) as WithdrawalState
  }

  it('shows at first view what became of the record, in 300 kB, from the portals alone', async () => {
    const { page, wire, faults, close } = await open(world.link(card(0)))
    const text = await textOf(page)
    for (const part of [
      'Fewer returns to hospital',
      'Your record was declared as used in',
      'the hospital declared it as used',
      'pseudonymous',
      EVIL_NAME,
      '<script>',
    ])
      assert.ok(text.includes(part), part)
    assert.deepEqual([await page.title(), faults], ['Your consent to research', []])
    const urls = [...wire.keys()].filter((url) => !url.startsWith('data:'))
    assert.ok(
      urls.every((url) => world.portals.some((portal) => url.startsWith(portal))),
      urls.join('\n'),
    )
    const bytes = [...wire.values()].reduce((sum, each) => sum + each, 0)
    assert.ok(bytes > 50_000 && bytes <= 300_000, `${bytes} bytes`)
    // The key is neither in the address bar, nor in the history, nor in any request.
    const key = new URL(world.link(card(0))).hash
    assert.equal(await page.evaluate('location.href'), `${world.portals[0]}/`)
    assert.equal(await page.evaluate('history.length'), 2)
    assert.ok(urls.every((url) => !url.includes(key.slice(1, 40)) && !url.includes('k=')))
    await close()
  })

  it('axe finds nothing in light and dark, English and German; a phone and 200 % zoom do not scroll sideways', async () => {
    const { page, close } = await open(world.link(card(0)))
    const looks = async (where: string) => assert.deepEqual([await axeViolations(page), await scrollsSideways(page)], [[], false], where)
    await looks('English, light')
    await setMode(page, true)
    await looks('English, dark')
    await page.select('select.language', 'de')
    await says(page, 'Weniger Rückkehr ins Krankenhaus')
    await page.setViewport({ width: 360, height: 740 })
    await looks('German, dark, a phone')
    await setMode(page, false)
    await page.setViewport({ width: 640, height: 450, deviceScaleFactor: 2 })
    await looks('German, light, 200 %')
    await close()
  })

  it('withdraws with the keyboard only, and shows how the relay kept its word; consent given again makes a new card', async () => {
    const { page, faults, close } = await open(world.link(card(1)), { width: 360, height: 740 })
    await tabTo(page, 'Object to the use of my record')
    await page.keyboard.press('Enter')
    await page.waitForSelector('dialog[open]', WAIT)
    assert.deepEqual(await axeViolations(page), [])
    assert.equal(await page.evaluate('document.activeElement.textContent.trim()'), 'Yes, withdraw')
    await page.keyboard.press('Enter')
    await says(page, 'gave its signed word')
    await says(page, 'You have withdrawn')
    await says(page, 'Heart Centre kept its word.')
    await says(page, 'No round that began after that may use your record.')
    assert.equal((await stateOf(card(1))).state, 'on chain')

    await tabTo(page, 'Make a new card')
    await page.keyboard.press('Enter')
    await page.waitForSelector('svg.qr', WAIT)
    assert.deepEqual([await axeViolations(page), await scrollsSideways(page)], [[], false])
    assert.equal(await page.evaluate(`[...document.querySelectorAll('button')].find((b) => b.textContent === 'Consent again').disabled`), true)
    await says(page, 'By this you agree to version 1 of the terms, until December 31, 2041')
    await page.focus('input[type=checkbox]')
    await page.keyboard.press('Space')
    await tabTo(page, 'Consent again')
    await page.keyboard.press('Enter')
    await says(page, 'You take part again')
    await press(page, 'Open the page with the new card')
    await says(page, 'Object to the use of my record')
    await page.goto('about:blank')
    await page.goto(world.link(card(1)))
    await says(page, 'you have a newer card already')
    assert.deepEqual(faults, [])
    await close()
  })

  it('finds out a relay that swallows the withdrawal, and goes on to the next', async () => {
    const swallower = await double(world.portals[0] as string, (_, place) => ({ take: async (withdrawal) => emptyWord(place, withdrawal, 1) }))
    const { page, close } = await open(world.link(card(2), { portals: [swallower.url, world.portals[1] as string] }))
    await press(page, 'Object to the use of my record')
    await press(page, 'Yes, withdraw')
    await says(page, 'Heart Centre did not keep its word')
    await says(page, `${EVIL_NAME} kept its word.`)
    assert.equal((await stateOf(card(2))).state, 'on chain')
    await close()
  })

  it('does not wait for a relay that wants longer than the terms allow', async () => {
    const idler = await double(world.portals[0] as string, (_, place) => ({ take: async (withdrawal) => emptyWord(place, withdrawal, 86_400) }))
    const { page, close } = await open(world.link(card(0), { portals: [idler.url, world.portals[1] as string] }))
    await press(page, 'Object to the use of my record')
    await press(page, 'Yes, withdraw')
    await says(page, 'It wants to wait longer than the terms allow')
    await says(page, 'You have withdrawn')
    await close()
  })

  it('concludes nothing where portals tell different things', async () => {
    const liar = await double(world.portals[1] as string, (real) => ({
      async records(asked) {
        const told = await real.records(asked)
        return { ...told, rounds: told.rounds.map((round) => ({ ...round, openedAtBlock: round.openedAtBlock + 1 })) }
      },
    }))
    const { page, close } = await open(world.link(card(3), { portals: [world.portals[0] as string, liar.url] }))
    await says(page, 'The portals tell different things about this round. Nothing is concluded.')
    await close()
  })

  it('goes by the portals where the clock of the device is hours off', async () => {
    const { page, close } = await openPage(browser)
    await page.evaluateOnNewDocument('{ const now = Date.now; Date.now = () => now() - 5 * 3600_000 }')
    await page.goto(world.link(card(3)))
    await says(page, 'The clock of this device is wrong')
    await says(page, 'Your record was declared as used in')
    await close()
  })

  it('checks a proof from a file, and tells one altered character', async () => {
    const folder = world.hospitals.folders[0] as string
    const signal = new AbortController().signal
    const receipt = join(world.hospitals.dir, 'receipts', world.receipts[3] as string)
    const proof = JSON.stringify(await proveReceipt({ folder, password: null, signal, receipt, run: runId(1), round: roundNo(2) }))
    const files = { good: proof, bad: proof.replace(/("cohort".*?0x)(.)/, (_, before, digit) => `${before}${digit === '0' ? '1' : '0'}`), none: '{}' }
    for (const [name, text] of Object.entries(files)) await writeFile(join(world.hospitals.dir, `${name}.json`), text)
    const { page, close } = await open(world.link(card(3)))
    const choose = async (name: string) => {
      const input = (await page.$('section:has(#verify) input[type=file]')) as { uploadFile(path: string): Promise<void> } | null
      await input?.uploadFile(join(world.hospitals.dir, `${name}.json`))
    }
    await choose('none')
    await says(page, 'This file is no proof, or it is damaged.')
    await choose('good')
    await says(page, 'Run 1, round 2: used')
    await choose('bad')
    await says(page, 'Run 1, round 2: proof is wrong')
    await close()
  })

  it('tells a card with an altered character, and a network that is out of reach', async () => {
    const { page, close } = await openPage(browser, { language: 'de' })
    const link = world.link(card(3))
    await page.goto(link.replace(/k=(.)/, (_, digit) => `k=${digit === 'A' ? 'B' : 'A'}`))
    await says(page, 'Das ist keine Karte von Rota')
    assert.deepEqual(await axeViolations(page), [])
    await page.goto('about:blank')
    await page.goto(world.link(card(3), { portals: ['http://127.0.0.1:9'] }))
    await says(page, 'Kein Portal antwortet')
    await close()
  })

  it('says what the hospital says of a withdrawal at its desk, which has no tag on chain', async () => {
    const call = { folder: world.hospitals.folders[0] as string, password: null, signal: new AbortController().signal }
    await withdrawAtDesk({ ...call, programme: card(3).programme, patient: PATIENTS[3] as string, receipts: undefined })
    const { page, close } = await open(world.link(card(3)))
    await says(page, 'Stopped at your hospital')
    assert.equal((await stateOf(card(3))).state, 'unknown')
    await close()
  })

  it("the hospital's portal answers the holders of its own cards alone", async () => {
    const { secret, programme } = card(3)
    const post = async (path: string, body: unknown) =>
      (await (await fetch(`${world.portals[0]}${path}`, { method: 'POST', body: JSON.stringify(body) })).json()) as { readonly code: string }
    const place = (await (await fetch(`${world.portals[0]}/api/place`)).json()) as Place
    const domain = consentDomain(BigInt(place.network.chainId), place.network.consentRegistry)
    const at = Math.floor(Date.now() / 1000)
    const stranger = new Uint8Array(16).fill(9)
    assert.equal((await post('/api/proofs', signRequest(stranger, programme, { what: ASK_ROUNDS, at }, domain))).code, 'ROTA-6508')
    // What its owner withdrew at the desk, whoever finds the card cannot undo.
    await world.relayed(card(3))
    const { tag, oneTimeAddress } = consentKeys(stranger, programme)
    const next = { tag, oneTimeAddress, terms: 1 }
    const give = (by: Uint8Array, of: typeof next) => post('/api/again', { ...of, request: signRequest(by, programme, { what: askAgain(of), at }, domain) })
    assert.equal((await give(card(2).secret, { ...next, terms: 2 })).code, 'ROTA-6519', 'nobody agrees to what they were not shown')
    assert.equal((await give(secret, next)).code, 'ROTA-6509')
    // Who gave it again has signed what they agreed to, and the hospital can show it.
    const { consents } = await openSiteFolder(world.hospitals.folders[0] as string, null)
    const entries = await consents.entriesUnder(programme)
    const asked = entries.flatMap((entry) => (entry.kind === 'granted' && entry.asked !== undefined ? [entry.asked] : [])).at(-1) ?? assert.fail()
    assert.match(asked.what, /^again as 0x[0-9a-f]{64} by 0x[0-9a-fA-F]{40} under terms 1$/)
    const old = consentKeys(card(1).secret, programme)
    const signed = { ...old, ...asked, programme: programmeId(programme), tag: asked.by, patientKey: old.oneTimeAddress }
    assert.ok(asked.by === old.tag && isRequest(signed, { programme: signed.programme, what: asked.what, now: asked.at }, domain))
  })

  it('sends it through the next portal at once, for whoever does not want to wait for the first', async () => {
    const slow = await double(world.portals[0] as string, (_, place) => ({ take: async (withdrawal) => emptyWord(place, withdrawal, 3_600) }))
    const { page, close } = await open(world.link(card(4), { portals: [slow.url, world.portals[1] as string] }))
    await press(page, 'Object to the use of my record')
    await press(page, 'Yes, withdraw')
    await says(page, 'Send it through the next portal too')
    await says(page, 'Save what was signed')
    await press(page, 'Send it through the next portal too')
    await says(page, 'You have withdrawn')
    assert.equal((await stateOf(card(4))).state, 'on chain')
    await close()
  })

  it('works from anywhere as static files', async (t) => {
    const server = createServer(async (request, response) => {
      const name = { '/': 'index.html', '/page.js': 'page.js', '/page.css': 'page.css' }[request.url ?? ''] ?? 'none'
      const type = { html: 'text/html', js: 'text/javascript', css: 'text/css' }[name.split('.')[1] ?? ''] ?? 'text/plain'
      response.writeHead(200, { 'content-type': type }).end(await readFile(join('node/web/pages/dist/patient', name)).catch(() => ''))
    })
    t.after(() => {
      server.closeAllConnections()
      server.close()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { page, faults, close } = await open(world.link(card(3), { at: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }))
    await says(page, 'Your record was declared as used in')
    assert.deepEqual(faults, [])
    await close()
  })
})
