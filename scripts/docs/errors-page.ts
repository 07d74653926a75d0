import { catalogue, type ErrorEntry } from '../../node/base/errors.ts'
import { WRITTEN } from './markdown.ts'

const AREAS: Readonly<Record<string, string>> = {
  1: 'Application, command line, keys and files',
  2: 'Numbers',
  3: 'Data, cohort and training',
  4: 'Network and store',
  5: 'Chain and rounds',
  6: 'Consent, audit and web',
}

/** docs/errors.md: the whole catalogue, by number. */
export function errorsPage(): string {
  const entries = Object.entries(catalogue as Readonly<Record<string, ErrorEntry>>).sort(([a], [b]) => a.localeCompare(b))
  const areas = [...new Set(entries.map(([code]) => areaOf(code)))]
  return `${[
    WRITTEN,
    '# Errors',
    `Every error that a person can meet: what happened, and what to do. A word in braces stands for the value at fault.

The reaction says how the software takes it. **retry**: it may pass by itself, and the node tries again (exit code 3). **ignore**: late or duplicate, nothing is lost.
**reject**: the sender or the input is at fault and is named (exit code 2). **stop**: a person has to act (exit code 4).`,
    ...areas.flatMap((area) => [`## ${AREAS[area] ?? area}`, ...entries.filter(([code]) => areaOf(code) === area).map(entryText)]),
  ].join('\n\n')}\n`
}

const areaOf = (code: string): string => code.charAt('ROTA-'.length)

const entryText = ([code, { what, remedy, reaction }]: readonly [string, ErrorEntry]): string =>
  `### ${code}\n\n${plain(what)} *(${reaction})*\n\n${plain(remedy)}`

/** A `<` or `*` of the text is no markup. */
const plain = (text: string): string => text.replace(/[<*]/g, (sign) => `\\${sign}`)
