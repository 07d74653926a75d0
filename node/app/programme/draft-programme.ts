import { existsSync } from 'node:fs'
import { writeText } from '#app/results/results-csv.ts'
import { RotaError } from '#base/errors.ts'
import { draftTerms, type TermsDraft } from './draft-terms.ts'

export interface ProgrammeDraftCall extends Omit<TermsDraft, 'expires'> {
  readonly years: number
  /** Undefined: the text is given back, and nothing is written. */
  readonly outFile: string | undefined
}

/** @throws ROTA-1220 the file exists: people have written in it */
export async function draftProgramme({ years, outFile, ...draft }: ProgrammeDraftCall): Promise<{ readonly file: string | null; readonly text: string }> {
  if (outFile !== undefined && existsSync(outFile)) throw new RotaError('ROTA-1220', { file: outFile })
  const text = draftTerms({ ...draft, expires: `${new Date().getUTCFullYear() + years}-12-31` })
  if (outFile !== undefined) await writeText(outFile, text)
  return { file: outFile ?? null, text }
}
