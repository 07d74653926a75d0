import { inCopy, readContracts } from './copy.ts'
import { mark } from './mark.ts'
import { type CoverageResult, resultOf } from './result.ts'
import { runTests } from './run-tests.ts'

/**
 * Lines and branches of a project's contracts that its tests of contracts take. The project is left as it is.
 * @param root folder with `contracts/`, `test/contracts/`, `hardhat.config.ts` and dependencies
 * @param signal ends the tests and removes the copy
 * @throws Error with the tests' output when one fails
 */
export async function measure(root: string, signal?: AbortSignal): Promise<CoverageResult> {
  const sources = await readContracts(root)
  const marked = mark(sources)
  const seen = await inCopy(root, marked.sources, (copy) => runTests(copy, signal))
  return resultOf(marked, seen, sources.keys())
}
