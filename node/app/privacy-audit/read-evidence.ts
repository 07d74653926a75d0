import { z } from 'zod'
import { readGiven } from '#app/given-text.ts'
import type { ResultsView } from '#app/results/results.ts'
import { RotaError } from '#base/errors.ts'
import { type Digest, isDigest } from '#base/ids.ts'
import { VERDICTS, verdictOn } from '#core/evidence/verdict.ts'
import type { PrivacySpec } from '#core/protocol/protocol.ts'
import { isHeld, type PrivacyEvidence } from './audit-privacy.ts'
import { ATTACKS, type Evidence } from './evidence.ts'
import { evidenceSection } from './evidence-tables.ts'

const measured = z.object({ value: z.number(), low: z.number(), high: z.number() })
const attack = z.enum(ATTACKS)

/** A figure that was no number is null in JSON: the verdict that it was given does not follow from what is left. */
const found: z.ZodType<Evidence> = z
  .object({
    ...{ attack, title: z.string(), figure: z.string(), note: z.string() },
    ...{ unprotected: measured, protected: measured.nullable(), guessing: z.number(), ceiling: z.number().nullable() },
    verdict: z.enum(VERDICTS),
    ...{ declared: z.string(), enforced: z.string(), evidenced: z.string() },
  })
  .refine((row) => row.verdict === verdictOn(row))

const privacy: z.ZodType<PrivacySpec> = z.object({
  ...{ unit: z.literal('patient'), epsilon: z.number(), delta: z.number() },
  ...{ place: z.enum(['local', 'distributed']), colluders: z.number().optional(), metrics: z.number().optional() },
  ...{ noise: z.number(), clip: z.number(), samplingRate: z.number(), steps: z.number(), expectedBatch: z.number().optional(), minPatients: z.number() },
})

const evidence: z.ZodType<PrivacyEvidence> = z
  .object({
    ...{ title: z.string(), protocolDigest: z.custom<Digest>(isDigest), mode: z.enum(['open', 'masked', 'groups']), privacy: privacy.nullable() },
    ...{ site: z.string(), patients: z.number(), holds: z.boolean() },
    found: z.array(found),
    notTried: z.array(z.object({ attack, title: z.string(), why: z.string() })),
  })
  .refine((whole) => whole.holds === isHeld(whole))

/** What `rota audit privacy --json` wrote. @throws ROTA-3001 a file that cannot be read, 6414 one that is no evidence */
export async function readEvidence(file: string): Promise<PrivacyEvidence> {
  const text = await readGiven(file)
  const read = evidence.safeParse(parsed(text))
  if (!read.success) throw new RotaError('ROTA-6414', { file, reason: 'it is none' })
  return read.data
}

/** What attacks found, as a part of the report of the study that they were on; nothing where no file is named. @throws as readEvidence, 6414 about another protocol */
export async function evidenceSectionOf({ protocolDigest }: Pick<ResultsView, 'protocolDigest'>, file: string | undefined): Promise<readonly string[]> {
  if (file === undefined) return []
  const read = await readEvidence(file)
  if (read.protocolDigest !== protocolDigest) throw new RotaError('ROTA-6414', { file, reason: `it is about protocol ${read.protocolDigest}` })
  return [evidenceSection(read)]
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
