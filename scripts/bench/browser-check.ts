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

const CHECKS = 50

/** As the page bundles it: the verifier, and the hash that it has in a browser. */
const ENTRY = `
  import { fromHex } from '#base/bytes.ts'
  import { judgeCohortProof, readCohortProof } from '#core/consent/cohort-proof.ts'
  import { sha256 } from '#patient/sha256.ts'
  globalThis.checkProof = ({ text, tag, record }) => {
    const started = performance.now()
    const { state } = judgeCohortProof(readCohortProof(text), tag, { ...record, network: fromHex(record.network) }, sha256)
    const tookMs = performance.now() - started
    if (state !== 'not in the declared cohort') throw new Error('the proof does not hold')
    return tookMs
  }`

/** Milliseconds of checks in a real browser, the first of them of code that has never run; null where there is none. */
export async function checkedInBrowser(proof: ProofToCheck): Promise<readonly number[] | null> {
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
    return (await page.evaluate(`Array.from({ length: ${CHECKS} }, () => checkProof(${JSON.stringify(proof)}))`)) as readonly number[]
  } finally {
    await browser.close()
  }
}
