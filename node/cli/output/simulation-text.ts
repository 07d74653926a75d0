import type { Simulation } from '#app/simulate/simulate.ts'
import { rehearsalNotes } from '#app/simulate/simulate-options.ts'
import { bytes, seconds } from '#base/format.ts'
import { resultsText } from './results-text.ts'
import type { Style } from './style.ts'

export const simulationText = ({ view, answer }: Simulation, written: readonly string[], style: Style): string =>
  [
    resultsText(view, style, answer.bytesPerSitePerRound),
    '',
    style.dim(`${seconds(answer.seconds)} for the run, ${bytes(answer.peakRssBytes)} of memory at most. Protocol ${view.protocolDigest}.`),
    ...rehearsalNotes(answer),
    ...written.map((file) => `Written: ${file}`),
  ].join('\n')
