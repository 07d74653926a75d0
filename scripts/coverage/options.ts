import { parseArgs } from 'node:util'

export interface CoverageOptions {
  readonly json: boolean
}

export const HELP = `npm run -s coverage -- [options]

Runs the tests of the contracts on a copy in which every branch tells of itself, and says which lines and branches no test takes.
A branch is one outcome of a condition, or of one operand of && and ||, or a clause of try, or a case of switch; assembly included.
Takes some minutes. The exit code is 1 below 95 % of lines or of branches, 2 when a test fails.

  --json        one JSON object: lines, branches, files, missed, uncounted, reached`

/** @returns null when help was asked for. @throws TypeError for an option that does not exist */
export function readOptions(args: readonly string[]): CoverageOptions | null {
  const { values } = parseArgs({ args: [...args], options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } } })
  return values.help ? null : { json: values.json }
}
