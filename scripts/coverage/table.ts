import type { Branch } from './marking.ts'
import { BAR, type CoverageResult, percent, type Share } from './result.ts'

/** The result for people: a row for each contract, then what no test took, then what was not counted. */
export function tableOf(result: CoverageResult): string {
  const rows = [...result.files.map((row) => ({ ...row, name: row.file.replace(/^contracts\//, '') })), { ...result, name: 'all' }]
  const width = Math.max(...rows.map(({ name }) => name.length))
  const lines = rows.map(({ name, lines, branches }) => `${name.padEnd(width)}  ${tell(lines)}  ${tell(branches)}`)
  const missedLines = result.files.flatMap(({ file, missedLines }) => missedLines.map((line) => `  ${file}:${line}`))
  return [
    `${'contract'.padEnd(width)}  ${'lines'.padStart(WIDTH)}  ${'branches'.padStart(WIDTH)}`,
    ...lines,
    ...list('Lines that no test comes to:', missedLines),
    ...list('Branches that no test takes:', result.missed.map(tellBranch)),
    ...list(
      'Not counted:',
      result.uncounted.map(({ file, line, text, reason }) => `  ${file}:${line}  ${shorten(text)}: ${reason}`),
    ),
    '',
    `${result.uncounted.length === 0 ? 'All that decides was counted. ' : ''}${result.reached ? `Both are ${BAR} % or more.` : `Below ${BAR} %.`}`,
  ].join('\n')
}

const WIDTH = '100.00 % (1000/1000)'.length

const tell = (share: Share): string => `${percent(share).toFixed(2)} % (${share.covered}/${share.of})`.padStart(WIDTH)

const tellBranch = ({ file, line, kind, text, outcome }: Branch): string =>
  `  ${file}:${line}  ${kind} \`${shorten(text)}\` ${outcome === 'taken' ? 'is never taken' : `is never ${outcome}`}`

const list = (title: string, lines: readonly string[]): string[] => (lines.length === 0 ? [] : ['', title, ...lines])

const shorten = (text: string): string => (text.length > 100 ? `${text.slice(0, 99)}…` : text)
