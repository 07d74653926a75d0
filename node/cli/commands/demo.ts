import process from 'node:process'
import { command } from '../command-file.ts'
import { flag, text, whole } from '../options.ts'

/** The play lies outside the node, as `npm start` runs it; it calls this command line in turn. */
const PLAY = new URL('../../../scripts/demo/play.ts', import.meta.url).href

interface Play {
  playDemo(
    options: { readonly keep: boolean; readonly json: boolean; readonly data: string | null; readonly seed: number },
    signal: AbortSignal,
    print: (text: string) => void,
  ): Promise<number>
}

export const demo = command({
  name: 'demo',
  group: 'Start here',
  summary: 'play a whole network on this machine: four hospitals, four processes, one chain',
  description: `Seven acts in about a minute: a network, a study, exact and neural training, a leader that dies, patients who withdraw, and the audit. Ends with
1 when anything is not as it should be; leaves nothing running.`,
  options: {
    data: text('FILE.csv', 'real rows instead of generated ones: columns site, set (train or test; optional), features, label'),
    seed: whole('N', 'another generated cohort', { from: 0, to: 999_999_999 }, 16),
    keep: flag('leave the network up, and print commands to try'),
  },
  example: ['rota demo', 'rota demo --data hospitals.csv --keep'],
  async run({ options, out, signal }) {
    const { playDemo } = (await import(PLAY)) as Play
    return playDemo({ keep: options.keep, json: out.json, data: options.data ?? null, seed: options.seed }, signal, (text) => void process.stdout.write(text))
  },
})
