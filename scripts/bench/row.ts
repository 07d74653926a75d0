import type { Figure } from './figures.ts'

/** One line of the table. `work` as in scripts/docs/measured.ts, which makes the README's table of what is saved. */
export interface Row {
  readonly work: string
  readonly unit: string
  readonly rota: Figure
  /** The most that Rota may take, in `unit`; null where it follows from a peer that did not run. */
  readonly bar: number | null
  /** Where we want to be. */
  readonly aim?: number
  /** Measured in the same run. */
  readonly peers: readonly ({ readonly name: string } & Figure)[]
  readonly note?: string
}

/** Names by which rows are chosen on the command line. */
export const ROW_NAMES = [
  'round',
  'blocks',
  'million',
  'ten-million',
  'simulated',
  'kills',
  'many',
  'disk',
  'consent',
  'pages',
  'masked',
  'masking',
  'slices',
  'private',
  'long',
  'install',
] as const
export type RowName = (typeof ROW_NAMES)[number]

/** Rows that come out of another's run. */
const WITH: Readonly<Record<string, RowName>> = { memory: 'ten-million', bytes: 'round', start: 'round', away: 'long', audit: 'long' }

/** @throws TypeError for a row that does not exist */
export function chosenRows(words: readonly string[], install: boolean): readonly RowName[] {
  if (words.length === 0) return ROW_NAMES.filter((name) => name !== 'install' || install)
  const names = words.map((word) => {
    const name = WITH[word] ?? ROW_NAMES.find((known) => known === word)
    if (name === undefined) throw new TypeError(`no such row: ${word} (there are ${[...ROW_NAMES, ...Object.keys(WITH)].join(', ')})`)
    return name
  })
  return ROW_NAMES.filter((name) => names.includes(name) || (name === 'install' && install))
}
