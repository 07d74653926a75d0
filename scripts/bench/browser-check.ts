import { join } from 'node:path'
import { build } from 'esbuild'
import { noBrowser, openPage, startBrowser } from '../../test/support/browser.ts'

/** A proof about one receipt, and what a chain would say of its round. */
export interface ProofToCheck {
  readonly text: string
  readonly tag: string
  /** A `ChainRecord` as JSON, `network` in hex. */
  readonly record: Readonly<Record<string, unknown>> & { readonly network: string }
}

/** Members drawn by lot from a cohort: the first of them as a sample of one, and all. */
export interface SampleToCheck {
  readonly text: string
  readonly whole: string
  readonly seed: string
  /** An `AuditedRecord` as JSON, `network` in hex. */
  readonly record: Readonly<Record<string, unknown>> & { readonly network: string }
}

/** Milliseconds of checks, the first of them of code that has never run. */
export interface CheckedInBrowser {
  readonly proof: readonly number[]
  readonly sample: readonly number[]
  /** Of all that was drawn. */
  readonly wholeMs: number
}

const CHECKS = 50

/** As the page bundles it: the verifier, and the hash that it has in a browser. */
const ENTRY = `
  import { fromHex } from '#base/bytes.ts'
  import { judgeCohortProof, readCohortProof } from '#core/consent/cohort-proof.ts'
  import { judgeSample, readCohortSample } from '#core/consent/cohort-sample.ts'
  import { sha256 } from '#patient/sha256.ts'
  globalThis.checkProof = ({ text, tag, record }) => {
    const started = performance.now()
    const { state } = judgeCohortProof(readCohortProof(text), tag, { ...record, network: fromHex(record.network) }, sha256)
    const tookMs = performance.now() - started
    if (state !== 'not in the declared cohort') throw new Error('the proof does not hold')
    return tookMs
  }
  globalThis.checkSample = ({ text, seed, record }) => {
    const started = performance.now()
    const { faults } = judgeSample(readCohortSample(text), fromHex(seed), { ...record, network: fromHex(record.network) }, sha256)
    const tookMs = performance.now() - started
    if (faults.length > 0) throw new Error('the sample does not hold')
    return tookMs
  }`

/** In a real browser; null where there is none. */
export async function checkedInBrowser(proof: ProofToCheck, sample: SampleToCheck): Promise<CheckedInBrowser | null> {
  if (noBrowser !== false) return null
  const root = join(import.meta.dirname, '../..')
  const { outputFiles } = await build({
    stdin: { contents: ENTRY, resolveDir: root, loader: 'ts' },
    ...{ absWorkingDir: root, bundle: true, minify: true, format: 'iife', write: false, logLevel: 'error' },
  })
  const browser = await startBrowser()
  try {
    const { page } = await openPage(browser)
    await page.evaluate(outputFiles[0]?.text ?? '')
    const measure = async (call: string, given: object): Promise<readonly number[]> =>
      (await page.evaluate(`Array.from({ length: ${CHECKS} }, () => ${call}(${JSON.stringify(given)}))`)) as readonly number[]
    const [ofProof, ofSample] = [await measure('checkProof', proof), await measure('checkSample', { ...sample, whole: '' })]
    const whole = { ...sample, text: sample.whole, whole: '' }
    return { proof: ofProof, sample: ofSample, wholeMs: (await page.evaluate(`checkSample(${JSON.stringify(whole)})`)) as number }
  } finally {
    await browser.close()
  }
}
