import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import type { Protocol } from '#core/protocol/protocol.ts'
import { STUDIES, type StudyKind } from './chaos-study.ts'

export interface ChaosOptions {
  readonly seeds: number
  readonly from: number
  /** Fixes how many sites each seed has; else the seed decides. */
  readonly sites: number | undefined
  /** Masked studies, and those in groups, have faults and lies of their own. */
  readonly mode: Protocol['mode']
  /** Fixes what is worked on; else the seed decides. */
  readonly study: StudyKind | undefined
  readonly json: boolean
  /** Tells the story of this seed instead. */
  readonly replay: number | undefined
  readonly threads: number
}

export const HELP = `npm run -s chaos -- [options]

Plays whole runs in simulated worlds in which everything goes wrong at once, and checks after each seed that nothing was lost and nothing
wrong was accepted. The same seed plays the same run. The exit code is 1 when an invariant is broken.

  --seeds N     how many seeds (default 500)
  --from S      the first of them (default 1)
  --sites K     as many sites in each, 4 to 9, in groups to 24 (default: the seed decides)
  --masked      masked studies instead of open ones; 6 to 9 sites
  --groups      studies in groups instead; 16 to 24 sites, and an audit of each run
  --study KIND  weights, fit, large, resting or averaged in each (default: the seed decides)
  --json        one JSON object: seeds, roundsOpened, roundsClosed, roundsLost, invariantsBroken, failing
  --replay S    the story of seed S: what was drawn, and what came to pass
  --threads T   how many seeds at a time (default: as many as the machine has processors)`

/** @returns null when help was asked for. @throws TypeError for an option that does not exist, or a number that cannot be */
export function readOptions(args: readonly string[]): ChaosOptions | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: 'string', default: '500' },
      from: { type: 'string', default: '1' },
      sites: { type: 'string' },
      masked: { type: 'boolean', default: false },
      groups: { type: 'boolean', default: false },
      study: { type: 'string' },
      json: { type: 'boolean', default: false },
      replay: { type: 'string' },
      threads: { type: 'string', default: String(availableParallelism()) },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return null
  return {
    seeds: whole('seeds', values.seeds, 1, 10_000_000),
    from: whole('from', values.from, 0, Number.MAX_SAFE_INTEGER - 10_000_000),
    sites: values.sites === undefined ? undefined : whole('sites', values.sites, 4, values.groups ? 24 : 9),
    mode: values.groups ? 'groups' : values.masked ? 'masked' : 'open',
    study: values.study === undefined ? undefined : kindOf(values.study),
    json: values.json,
    replay: values.replay === undefined ? undefined : whole('replay', values.replay, 0, Number.MAX_SAFE_INTEGER),
    threads: whole('threads', values.threads, 1, 256),
  }
}

/** What plays one of these seeds again, as it was: all that was given beside the seed decides what it draws. */
export function replayCommand(seed: number, { mode, sites, study }: Pick<ChaosOptions, 'mode' | 'sites' | 'study'>): string {
  const given = [
    ...(mode === 'open' ? [] : [`--${mode}`]),
    ...(sites === undefined ? [] : [`--sites ${sites}`]),
    ...(study === undefined ? [] : [`--study ${study}`]),
  ]
  return ['npm run -s chaos --', ...given, `--replay ${seed}`].join(' ')
}

function kindOf(text: string): StudyKind {
  const kind = STUDIES.find((each) => each === text)
  if (kind === undefined) throw new TypeError(`--study ${text}: one of ${STUDIES.join(', ')}`)
  return kind
}

function whole(name: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isInteger(value) || value < least || value > most)
    throw new TypeError(`--${name} ${text}: a whole number from ${least} to ${most}`)
  return value
}
