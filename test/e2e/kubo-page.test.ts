/**
 * The patient's page out of IPFS, in a real browser: a hospital whose cards name a gateway, its portal, and a relay of nobody's
 * ├── the card's link opens the page from the gateway: it shows the consent, and asks the card's portals alone
 * ├── a receipt file opens it without a link
 * └── under the content's own name, where no other page of the gateway shares its origin, it withdraws through the relays, and a consent given
 *     again gets a card that opens this same page
 */
import assert from 'node:assert/strict'
import { appendFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { systemRandom } from '#adapters/host/system-host.ts'
import { createAccount } from '#adapters/vault/site-vault.ts'
import { recordConsents } from '#app/consent/consent-record.ts'
import { runPortal, runRelay } from '#app/portal/portal.ts'
import { publishTerms } from '#app/programme/publish-terms.ts'
import { readConfig } from '#app/site/config.ts'
import { sitePaths } from '#app/site/site-paths.ts'
import { readCardLink } from '#patient/card.ts'
import { consentKeys, programmeId } from '#patient/keys.ts'
import type { WithdrawalState } from '#patient/portal-api.ts'
import { type Browser, noBrowser, openPage, type Page, startBrowser } from '../support/browser.ts'
import { CHEAP_KEYS } from '../support/cheap-keys.ts'
import { type Kubo, noKubo, startKubo } from '../support/kubo.ts'
import { makeDeskSite } from '../unit/desk/desk-site.ts'
import { PROGRAMME, termsWith } from '../web/patient-world.ts'

const WAIT = { timeout: 20_000 }
const PAGE = 'node/web/pages/dist/patient'

describe("the patient's page from IPFS", { timeout: 120_000, skip: noKubo || noBrowser }, () => {
  const stopped = new AbortController()
  const served: Promise<void>[] = []
  let site: Awaited<ReturnType<typeof makeDeskSite>>
  let kubo: Kubo
  let browser: Browser
  let portals: readonly string[]
  let receipt: string
  let link: string
  let page: string

  before(async () => {
    ;[site, browser] = await Promise.all([makeDeskSite(), startBrowser()])
    kubo = await startKubo(join(site.dir, 'kubo'), { gateway: true })
    page = `${kubo.gateway}/ipfs/${await kubo.ipfs('add', '--recursive', '--cid-version=1', '--quieter', PAGE)}`
    portals = await Promise.all([startPortal(), startRelay()])
    await publishTerms({ ...site.call, terms: { ...termsWith(portals), lawfulBasis: 'consent' }, stewardPassword: null })
    await appendFile(sitePaths(site.folder).config, `portal: { listen: 127.0.0.1:0, page: '${page}' }\n`)
    const { receipts } = await recordConsents({ ...site.call, programme: PROGRAMME, patients: { names: ['4713'] }, receipts: join(site.dir, 'cards') })
    receipt = receipts[0]?.file ?? assert.fail('no receipt')
    link = (JSON.parse(await readFile(receipt, 'utf8')) as { readonly card: string }).card
  })
  after(async () => {
    await browser?.close()
    stopped.abort()
    await Promise.all(served)
    await kubo?.stop()
    await site?.stop()
  })

  const serving = (serve: (told: (started: { readonly url: string }) => void) => Promise<void>): Promise<string> =>
    new Promise((resolve, reject) => {
      const ended = serve(({ url }) => resolve(url))
      ended.catch(reject)
      served.push(ended)
    })
  const options = (name: string) => ({
    ...{ listen: '127.0.0.1:0', longestDelay: 1, behindProxy: false, signal: stopped.signal },
    log: { format: 'json' as const, file: join(site.dir, `${name}.log`) },
  })
  const startPortal = () => serving((told) => runPortal({ ...options('portal'), folder: site.folder, password: null }, told))
  async function startRelay(): Promise<string> {
    const { chain, contracts } = await readConfig(site.folder)
    const [keystore, password, folder] = [join(site.dir, 'relay.json'), 'a relay of patients', join(site.dir, 'relay')]
    await createAccount(keystore, password, systemRandom, CHEAP_KEYS)
    const own = { ...{ chain, contracts, keystore, folder }, password: { text: password }, others: [], metrics: undefined }
    return serving((told) => runRelay({ ...options('relay'), ...own }, told))
  }
  const says = (on: Page, text: string) => on.waitForFunction(`document.body.innerText.includes(${JSON.stringify(text)})`, WAIT)
  const press = (on: Page, button: string) =>
    on.evaluate(`[...document.querySelectorAll('button')].find((b) => b.textContent.trim() === ${JSON.stringify(button)}).click()`)

  it("the card's link opens it from the gateway, and it asks the card's portals alone", async () => {
    assert.ok(link.startsWith(`${page}#`), 'cards of this hospital name the gateway')
    const { page: tab, wire, faults, close } = await openPage(browser)
    await tab.goto(link)
    await says(tab, 'You take part')
    await says(tab, 'There has been no round yet')
    assert.equal(await tab.evaluate('location.href'), `${page}/`, 'the gateway sends it to its folder, and the key is out of the address')
    const urls = [...wire.keys()].filter((url) => !url.startsWith('data:'))
    assert.ok(
      urls.every((url) => [page, ...portals].some((known) => url.startsWith(known))),
      urls.join('\n'),
    )
    assert.ok(portals.every((portal) => urls.some((url) => url.startsWith(portal))))
    assert.ok(urls.every((url) => !url.includes('k=')))
    assert.deepEqual(faults, [])
    await close()
  })

  it('a receipt file opens it', async () => {
    const { page: tab, close } = await openPage(browser, { language: 'de' })
    await tab.goto(`${page}/`)
    await says(tab, 'Öffnen Sie diese Seite mit Ihrer Karte')
    const input = (await tab.$('input[type=file]')) as { uploadFile(path: string): Promise<void> } | null
    await input?.uploadFile(receipt)
    await says(tab, 'Sie machen mit')
    await close()
  })

  it('withdraws under its own name through the relays, and makes a new card for this same page', async () => {
    const { page: tab, faults, close } = await openPage(browser)
    await tab.goto(link.replace('127.0.0.1', 'localhost'))
    await says(tab, 'You take part')
    const origin = (await tab.evaluate('location.origin')) as string
    assert.match(origin, /^http:\/\/baf[a-z2-7]+\.ipfs\.localhost:\d+$/)
    await press(tab, 'Withdraw my consent')
    await press(tab, 'Yes, withdraw')
    await says(tab, 'You have withdrawn')
    await says(tab, 'Basel kept its word.')
    const card = readCardLink(link) ?? assert.fail('no card')
    const { tag } = consentKeys(card.secret, card.programme)
    const state = (await (await fetch(`${portals[1]}/api/withdrawals/${programmeId(card.programme)}/${tag}`)).json()) as WithdrawalState
    assert.equal(state.state, 'on chain')
    await says(tab, 'Make a new card')
    await press(tab, 'Make a new card')
    await tab.waitForSelector('svg.qr', WAIT)
    assert.ok(((await tab.evaluate('document.body.innerText')) as string).includes(`${origin}/#v=1`))
    assert.deepEqual(faults, [])
    await close()
  })
})
