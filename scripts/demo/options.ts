import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { DemoError } from './demo-error.ts'

export interface DemoOptions {
  /** Leave the network up, and print commands to try. */
  readonly keep: boolean
  /** The story goes to stderr, one JSON object of the results to stdout. */
  readonly json: boolean
  /** Real rows instead of a generated cohort. */
  readonly data: string | null
  /** Of the generated cohort. */
  readonly seed: number
}

export const USAGE = `Plays Rota from end to end on this machine: four hospitals, four processes, one chain.

  npm start                        a generated cohort with known coefficients
  npm start -- --data FILE.csv     real rows: columns site, optional set (train or test), features, label; 4 to 8 sites
  npm start -- --seed N            another generated cohort (default 16)
  npm start -- --keep              leaves the network up, and prints commands to try
  npm start -- --json              ends with one JSON object of the results (the story goes to standard error)
`

/** Of a cohort in which each hospital gains by the others' patients, and whose 95 % intervals hold all true coefficients. */
export const DEFAULT_SEED = 16

/**
 * @param from what a relative path is relative to: npm starts scripts in the repository, wherever it was called
 * @returns null when help was asked for
 * @throws DemoError on an option that there is not
 */
export function readOptions(words: readonly string[], from = '.'): DemoOptions | null {
  try {
    const { values } = parseArgs({
      args: [...words],
      options: {
        keep: { type: 'boolean' },
        json: { type: 'boolean' },
        data: { type: 'string' },
        seed: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    })
    if (values.help) return null
    return {
      keep: values.keep ?? false,
      json: values.json ?? false,
      data: values.data === undefined ? null : resolve(from, values.data),
      seed: seedOf(values.seed),
    }
  } catch (error) {
    if (error instanceof DemoError) throw error
    throw new DemoError((error as Error).message, 'npm start -- --help lists the options.')
  }
}

function seedOf(text: string | undefined): number {
  if (text === undefined) return DEFAULT_SEED
  if (!/^\d{1,9}$/.test(text)) throw new DemoError(`--seed takes a whole number, not "${text}"`, 'For example: npm start -- --seed 7')
  return Number(text)
}
