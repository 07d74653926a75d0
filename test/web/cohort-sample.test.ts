import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { build } from 'esbuild'
import { drawSample } from '#adapters/cohort/draw-sample.ts'
import { cohortMap, grantedMap, sha256 } from '#adapters/cohort/site-maps.ts'
import { toDigest, toHex } from '#base/bytes.ts'
import { type Digest, roundNo, runId } from '#base/ids.ts'
import { word32 } from '#core/consent/cohort-map.ts'
import { judgeSample, readCohortSample } from '#core/consent/cohort-sample.ts'
import { type Browser, noBrowser, openPage, startBrowser, type WatchedPage } from '../support/browser.ts'
import { keyed } from '../unit/cohort/support.ts'

// given members of a cohort that were drawn by lot, in a real browser
// └── the same verifier comes to the same verdict as in Node, on what holds and on what does not

const vault = keyed('a site')
const place = { network: sha256(Uint8Array.of(1)), run: runId(1), round: roundNo(2) }
const members = Array.from({ length: 300 }, (_, i): Digest => vault.keyedDigest('tag', word32(i)))
const seed = sha256(Uint8Array.of(7))
const root = toDigest(cohortMap(vault, 'cardio', members, place).root)
const sample = drawSample({ vault, programme: 'cardio', site: 0, place, root, members, granted: { epoch: 1, tags: members } }, seed, true, 60)
const record = {
  openedAtBlock: 20,
  contributed: { root, block: 21 },
  epochs: [{ epoch: 1, root: toDigest(grantedMap(vault, 'cardio', members, 1).root), block: 5 }],
  withdrawn: [] as { readonly tag: Digest; readonly block: number }[],
}

const VERIFIER = `
  import { fromHex } from '#base/bytes.ts'
  import { judgeSample, readCohortSample } from '#core/consent/cohort-sample.ts'
  import { sha256 } from '#patient/sha256.ts'
  globalThis.judge = (text, seed, network, record) => judgeSample(readCohortSample(text), fromHex(seed), { ...record, network: fromHex(network) }, sha256)`

describe('a cohort opened by lot, in a browser', { skip: noBrowser, timeout: 60_000 }, () => {
  let browser: Browser
  let watched: WatchedPage

  before(async () => {
    const stdin = { contents: VERIFIER, resolveDir: '.', loader: 'ts' as const }
    const { outputFiles } = await build({ stdin, bundle: true, format: 'iife', write: false, logLevel: 'error' })
    browser = await startBrowser()
    watched = await openPage(browser)
    await watched.page.evaluate(outputFiles[0]?.text ?? '')
  })
  after(() => browser?.close())

  it('is judged as in Node', async () => {
    const withdrawn = [{ tag: members[0] as Digest, block: 20 }, ...members.slice(1, 100).map((tag) => ({ tag, block: 9 }))]
    const { drawn } = sample
    const cases = [
      { of: sample, chain: record, holds: true },
      { of: sample, chain: { ...record, withdrawn }, holds: false },
      { of: { ...sample, drawn: drawn.toReversed() }, chain: record, holds: false },
      { of: { ...sample, round: 3 }, chain: record, holds: false },
      { of: sample, chain: { ...record, contributed: null }, holds: false },
    ]
    for (const { of, chain, holds } of cases) {
      const here = judgeSample(readCohortSample(JSON.stringify(of)) as typeof sample, seed, { ...chain, network: place.network }, sha256)
      const given = [JSON.stringify(of), toHex(seed), toHex(place.network), chain].map((each) => JSON.stringify(each)).join(', ')
      assert.deepEqual(await watched.page.evaluate(`judge(${given})`), here)
      assert.equal(here.holds, holds)
    }
    assert.deepEqual(watched.faults, [])
  })
})
