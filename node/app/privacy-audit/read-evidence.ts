import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import type { ResultsView } from '#app/results/results.ts'
import { RotaError } from '#base/errors.ts'
import type { PrivacyEvidence } from './audit-privacy.ts'
import { ATTACKS } from './evidence.ts'
import { evidenceSection } from './evidence-tables.ts'

const measured = z.object({ value: z.number(), low: z.number(), high: z.number() })
const attack = z.enum(ATTACKS)
const found = z.object({
  ...{ attack, title: z.string(), figure: z.string(), note: z.string() },
  ...{ unprotected: measured, protected: measured.nullable(), guessing: z.number(), ceiling: z.number().nullable() },
  verdict: z.enum(['under its ceiling', 'over its ceiling', 'too few to tell', 'the attack failed', 'nothing promised']),
  ...{ declared: z.string(), enforced: z.string(), evidenced: z.string() },
})
const evidence = z.object({
  ...{ title: z.string(), protocolDigest: z.string(), mode: z.enum(['open', 'masked', 'groups']), privacy: z.object().nullable() },
  ...{ site: z.string(), patients: z.number(), holds: z.boolean() },
  found: z.array(found),
  notTried: z.array(z.object({ attack, title: z.string(), why: z.string() })),
})

/**
 * What attacks found, as a part of the report of the study that they were on; nothing where no file is named.
 * @throws ROTA-3001 a file that cannot be read, 6414 one that is no evidence, or about another protocol
 */
export async function evidenceSectionOf({ protocolDigest }: Pick<ResultsView, 'protocolDigest'>, file: string | undefined): Promise<readonly string[]> {
  if (file === undefined) return []
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new RotaError('ROTA-3001', { file, reason: String(cause.code) })
  })
  const read = evidence.safeParse(parsed(text))
  if (!read.success) throw new RotaError('ROTA-6414', { file, reason: 'it is none' })
  if (read.data.protocolDigest !== protocolDigest) throw new RotaError('ROTA-6414', { file, reason: `it is about protocol ${read.data.protocolDigest}` })
  return [evidenceSection(read.data as unknown as PrivacyEvidence)]
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
