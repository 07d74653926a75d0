/** Whole runs in simulated worlds in which everything goes wrong at once: `npm run -s chaos`. See --help. */
import process from 'node:process'
import type { Protocol } from '#core/protocol/protocol.ts'
import type { StudyKind } from './chaos-study.ts'
import { type ChaosOptions, HELP, readOptions, replayCommand } from './options.ts'
import { playSeed } from './play-seed.ts'
import { playSeeds } from './pool.ts'
import { addUp, type ChaosReport, reportOf, type SeedReport } from './report.ts'
import { storyOf } from './story.ts'

const TELL_EVERY = 100

const print = (text: string): void => void process.stdout.write(`${text}\n`)
const say = (text: string): void => void process.stderr.write(`${text}\n`)

/** @returns whether every invariant held */
async function main(options: ChaosOptions): Promise<boolean> {
  const { seeds, from, sites, mode, study: kind, json, replay, threads } = options
  if (replay !== undefined) return tell(replay, sites, mode, kind)
  const startedMs = performance.now()
  const reports = await playSeeds({
    seeds: Array.from({ length: seeds }, (_, i) => from + i),
    sites,
    mode,
    kind,
    threads,
    onReport: progress(seeds, startedMs),
  })
  const report = addUp(reports)
  print(json ? JSON.stringify(report) : summary(report, reports, options, performance.now() - startedMs))
  return report.invariantsBroken === 0
}

async function tell(seed: number, sites: number | undefined, mode: Protocol['mode'], kind: StudyKind | undefined): Promise<boolean> {
  const record = await playSeed(seed, sites, { mode, ...(kind === undefined ? {} : { kind }) })
  const { broken } = reportOf(record)
  print(storyOf(record, broken))
  return broken.length === 0
}

/** A failing seed at once, and how far it is now and then. */
function progress(seeds: number, startedMs: number): (report: SeedReport) => void {
  let done = 0
  return ({ seed, broken }) => {
    done += 1
    for (const { invariant, what } of broken) say(`seed ${seed} breaks ${invariant}: ${what}`)
    if (done % TELL_EVERY === 0) say(`${done} of ${seeds} seeds, ${(done / ((performance.now() - startedMs) / 1_000)).toFixed(1)} a second`)
  }
}

function summary(report: ChaosReport, reports: readonly SeedReport[], options: ChaosOptions, tookMs: number): string {
  const voids = reports.reduce((sum, { roundsVoid }) => sum + roundsVoid, 0)
  const failing = report.failing.length === 0 ? 'Every invariant holds.' : `Broken ${report.invariantsBroken} times, by seeds ${report.failing.join(', ')}.`
  return [
    `${report.seeds} seeds in ${(tookMs / 1_000).toFixed(0)} s: ${report.roundsOpened} rounds opened, ${report.roundsClosed} closed, ${voids} void and contributed afresh, ${report.roundsLost} lost.`,
    failing,
    ...report.failing.slice(0, 1).map((seed) => `What happened: ${replayCommand(seed, options)}`),
  ].join('\n')
}

try {
  const options = readOptions(process.argv.slice(2))
  if (options === null) print(HELP)
  else process.exitCode = (await main(options)) ? 0 : 1
} catch (error) {
  say(error instanceof TypeError ? `${error.message}\n\n${HELP}` : error instanceof Error ? (error.stack ?? error.message) : String(error))
  process.exitCode = 2
}
