import { RotaError } from '#base/errors.ts'
import { command } from '../command-file.ts'
import { knownProgramme, programmeOptions } from '../known-programme.ts'
import { needed } from '../needed.ts'
import { flag, text, whole } from '../options.ts'

const chain = text('URL', "JSON-RPC endpoint of the network's chain")
const contracts = text('ADDRESS', "the network's directory contract")
const CHAIN = '--chain http://127.0.0.1:8545 --contracts 0x5FbDB2315678afecb367f032d93F642f64180aa3'

export const audit_draw = command({
  name: 'audit draw',
  group: 'Audit',
  summary: 'ask a site to open some members of a cohort, drawn by lot',
  description: `Draws a seed once the site's cohort is on chain, so that the site could not know it when it declared who was in, and writes a question (--json, into a
file) for the site: rota consent open --question. Keep the file: the answer is checked against it (rota audit cohort --sample). To who did not draw it, the answer shows as much as
they trust whoever did.`,
  options: {
    ...{ chain, contracts },
    site: whole('N', "the site's number", { from: 0, to: 255 }),
    run: whole('N', 'the run', { from: 1 }),
    round: whole('N', 'the round', { from: 1 }),
    draws: whole('N', 'how many are drawn: 59 members find a cohort of which 5 % may not be in it in 95 of 100 cases', { from: 1, to: 1_000 }, 100),
  },
  example: `rota audit draw --site 0 --run 1 --round 3 ${CHAIN} --json > question.json`,
  async run({ options, out, signal }) {
    const { drawQuestion } = await import('#app/audit/audit-sample.ts')
    const { questionText } = await import('#cli/output/cohort-text.ts')
    const question = await drawQuestion({
      ...chainOf('audit draw', options),
      site: needed('audit draw', '--site', options.site),
      run: needed('audit draw', '--run', options.run),
      round: needed('audit draw', '--round', options.round),
      draws: options.draws,
      signal,
    })
    out.result(question, () => questionText(question, out.style))
  },
})

export const audit_cohort = command({
  name: 'audit cohort',
  group: 'Audit',
  summary: 'check a cohort that a site opened, whole or by lot: within the consents that stood, and nobody in it who had withdrawn',
  description: `A site opens a round's cohort with rota consent open: the whole of it (--opening), or some members that were drawn (--sample; with --question where rota audit
draw asked, else the hash of a block drew, as many as you demanded with --draws: name number and round to the site before it draws). They are compared with the roots that the site put on chain and with every withdrawal that was on chain when the round
opened, under the programme of the run's study: as its protocol says, which --store holds, or as you name it with --programme; never as the site's file says. A sample is evidence, told with how likely it finds what is wrong; the whole is certain. Both show what the hospital declared. Ends with 1 when it does not hold, or when no member was drawn.`,
  options: {
    ...{ chain, contracts },
    opening: text('FILE', 'what rota consent open --json wrote'),
    sample: text('FILE', 'what rota consent open --json wrote with --question or --draws'),
    question: text('FILE', 'what rota audit draw --json wrote, and the sample answers'),
    draws: whole('N', "how many you demanded, where a block's hash drew (needed without --question)", { from: 1, to: 1_000 }),
    ...programmeOptions,
    optOut: flag('the lawful basis lets records be used until somebody objects: members without a consent are counted and no fault (whole cohorts)'),
  },
  example: [
    `rota audit cohort --opening cohort.json --programme research ${CHAIN}`,
    `rota audit cohort --sample sample.json --question question.json --store ./hospital-1 ${CHAIN}`,
  ],
  async run({ options, out, signal }) {
    const { opening, sample, question, draws, optOut } = options
    const where = { ...chainOf('audit cohort', options), known: knownProgramme('audit cohort', options), signal }
    if (sample === undefined) {
      const lonely = question !== undefined ? '--question' : draws !== undefined ? '--draws' : null
      if (lonely !== null) throw new RotaError('ROTA-1006', { command: 'audit cohort', reason: `${lonely} comes with --sample, which is missing` })
      const { auditCohort } = await import('#app/audit/audit-cohort.ts')
      const { cohortText } = await import('#cli/output/cohort-text.ts')
      const verdict = await auditCohort({ ...where, opening: needed('audit cohort', '--opening or --sample', opening), optOut })
      out.result(verdict, () => cohortText(verdict, out.style))
      return verdict.holds ? 0 : 1
    }
    const other = opening !== undefined ? '--opening' : optOut ? '--opt-out' : null
    if (other !== null) throw new RotaError('ROTA-1102', { option: '--sample', other })
    const { auditSample } = await import('#app/audit/audit-sample.ts')
    const { sampleText } = await import('#cli/output/cohort-text.ts')
    const asked = whatWasAsked(question, draws)
    const verdict = await auditSample({ ...where, sample, asked })
    out.result(verdict, () => sampleText(verdict, out.style))
    return verdict.holds ? 0 : 1
  },
})

/** @throws ROTA-1006, ROTA-1102 */
function whatWasAsked(question: string | undefined, draws: number | undefined): string | { readonly draws: number } {
  if (question === undefined) return { draws: needed('audit cohort', '--question or --draws', draws) }
  if (draws !== undefined) throw new RotaError('ROTA-1102', { option: '--question', other: '--draws' })
  return question
}

const chainOf = (name: string, options: { readonly chain: string | undefined; readonly contracts: string | undefined }) => ({
  url: needed(name, '--chain', options.chain),
  contracts: needed(name, '--contracts', options.contracts),
})
