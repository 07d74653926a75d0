import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { markdownTable } from './markdown.ts'

/** docs/measured.json, as the benchmark writes it. No figure without the command that gives it. */
const figure = z.strictObject({
  /** In `unit` of the row. */
  median: z.number(),
  low: z.number().optional(),
  high: z.number().optional(),
})
const row = z.strictObject({
  /** One of WORKS, or a work of its own. */
  work: z.string().min(1),
  command: z.string().min(1),
  unit: z.string().min(1),
  rota: figure,
  /** Measured in the same run; `ratio` is Rota's median over this one's. */
  peers: z.array(z.strictObject({ name: z.string().min(1), ...figure.shape })).default([]),
  note: z.string().optional(),
})
export const measuredSchema = z.strictObject({
  date: z.string().regex(/^\d{4}-\d{2}-\d{2}$/),
  /** Processor, cores, memory, Node: what a reader needs to compare. */
  machine: z.string().min(1),
  rows: z.array(row),
})

/** What the benchmark writes. */
export type Measured = z.input<typeof measuredSchema>
type Row = z.infer<typeof row>

/** What is to be measured; a work without a figure says so. */
export const WORKS = [
  'round, four processes, 14 weights, instant blocks',
  'round, four processes, 14 weights, 1-second blocks',
  'round, four processes, 1 million weights (4 MB)',
  'round, four processes, 10 million weights (40 MB)',
  'peak memory of a node, 14 weights',
  'peak memory of a node, 40 MB model',
  'bytes up per site and round, 14 weights',
  'start of four nodes to the end of round 1',
  'simulated round, 100 sites',
  'installed size, production',
  'set-up from a bare clone',
] as const

/** The README's section. */
export async function measuredTable(): Promise<string> {
  return measuredText(await readFile(join(import.meta.dirname, '../../docs/measured.json'), 'utf8').catch(() => null))
}

/** @param text of docs/measured.json, null when there is none @throws when it is not as it should be */
export function measuredText(text: string | null): string {
  if (text === null) return `${markdownTable(HEAD, WORKS.map(notYet))}\n\nNothing is measured on record yet. \`npm run bench\` measures on your machine.`
  const { date, machine, rows } = measuredSchema.parse(JSON.parse(text))
  const missing = WORKS.filter((work) => !rows.some((one) => one.work === work))
  return [
    `Measured ${date} on ${machine}. Median, and the range in brackets; a ratio below 1 means that Rota took less. Others were measured in the same run.`,
    markdownTable(HEAD, [...rows.map(rowText), ...missing.map(notYet)]),
  ].join('\n\n')
}

const HEAD = ['work', 'Rota', 'others', 'ratio', 'command']
const notYet = (work: string): readonly string[] => [work, 'not measured yet', '', '', '']

function rowText({ work, command, unit, rota, peers, note }: Row): readonly string[] {
  const others = peers.map((peer) => `${peer.name} ${figureText(peer, unit)}`).join('<br>')
  const ratios = peers.map((peer) => digits(rota.median / peer.median)).join('<br>')
  return [note === undefined ? work : `${work} (${note})`, figureText(rota, unit), others, ratios, `\`${command}\``]
}

const figureText = ({ median, low, high }: z.infer<typeof figure>, unit: string): string =>
  `${digits(median)} ${unit}${low === undefined || high === undefined ? '' : ` (${digits(low)}–${digits(high)})`}`

/** Three significant digits, without an exponent. */
const digits = (value: number): string => String(Number(value.toPrecision(3)))
