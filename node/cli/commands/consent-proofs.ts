import type { checkConfirmation } from '#app/consent/confirmation-check.ts'
import type { CertificateCall } from '#app/unlearn/certificate-check.ts'
import { RotaError } from '#base/errors.ts'
import { roundNo, runId } from '#base/ids.ts'
import type { Output } from '#cli/output/output.ts'
import { command } from '../command-file.ts'
import { knownProgramme, type ProgrammeOptions, programmeOptions } from '../known-programme.ts'
import { needed } from '../needed.ts'
import { text, whole } from '../options.ts'
import { passwordFrom, siteOptions } from '../site-options.ts'

const RECEIPT = 'the receipt that the patient holds'

export const consent_prove = command({
  name: 'consent prove',
  group: 'Consent',
  summary: 'show the holder of a receipt whether their record was in the cohort that this site declared for a round',
  description: `Writes a proof (--json, into a file) that names nobody else and that anyone with the receipt can check: rota consent verify. It holds the secret by which
this one receipt is found in every round's cohort: give it to the receipt's holder alone.`,
  options: {
    ...siteOptions,
    receipt: text('FILE', RECEIPT),
    run: whole('N', 'the run', { from: 1 }),
    round: whole('N', 'the round', { from: 1 }),
  },
  example: 'rota consent prove --folder ./cleveland --receipt receipt-1f0c9a.json --run 1 --round 3 --json > proof.json',
  async run({ options, out, signal }) {
    const { proveReceipt } = await import('#app/consent/consent-prove.ts')
    const { provedText } = await import('#cli/output/consent-text.ts')
    const proof = await proveReceipt({
      folder: options.folder,
      password: passwordFrom(options),
      signal,
      receipt: needed('consent prove', '--receipt', options.receipt),
      run: runId(needed('consent prove', '--run', options.run)),
      round: roundNo(needed('consent prove', '--round', options.round)),
    })
    out.result(proof, () => provedText(proof, out.style))
  },
})

export const consent_open = command({
  name: 'consent open',
  group: 'Consent',
  summary: 'open the cohort that this site declared for a round to an auditor, whole or some members drawn by lot',
  description: `Writes (--json, into a file) what lets an auditor see that the cohort lies within the consents that stood and holds nobody who had withdrawn: rota audit
cohort. It names nobody; who has it sees how many there are, and which of them withdraw later. With --question, an auditor's (rota audit draw), or --draws, the members drawn
alone are shown, each by a proof of less than 4 kB; what draws is then the auditor's seed, or the hash of the eighth block after the contribution, so that nobody here chooses whom. How many, and of which round, is not this site's choice either: who
checks --draws demands the number, and names it and the round beforehand.`,
  options: {
    ...siteOptions,
    run: whole('N', 'the run', { from: 1 }),
    round: whole('N', 'the round', { from: 1 }),
    draws: whole('N', "how many are drawn, by a block's hash: what the auditor demands (default: the whole cohort is opened)", { from: 1, to: 1_000 }),
    question: text('FILE', 'what rota audit draw --json wrote: it names run, round and how many'),
  },
  example: [
    'rota consent open --folder ./cleveland --run 1 --round 3 --json > cohort.json',
    'rota consent open --folder ./cleveland --question question.json --json > sample.json',
  ],
  async run({ options, out, signal }) {
    const { openedText, drawnText } = await import('#cli/output/cohort-text.ts')
    const site = { folder: options.folder, password: passwordFrom(options), signal }
    const asked = whatIsAsked(options)
    if (typeof asked !== 'string' && asked.draws === undefined) {
      const { openCohort } = await import('#app/consent/consent-open.ts')
      const opening = await openCohort({ ...site, run: asked.run, round: asked.round })
      return out.result(opening, () => openedText(opening, out.style))
    }
    const { sampleCohort } = await import('#app/consent/consent-sample.ts')
    const sample = await sampleCohort({ ...site, asked: typeof asked === 'string' ? asked : { ...asked, draws: asked.draws as number } })
    out.result(sample, () => drawnText(sample, out.style))
  },
})

interface Asked {
  readonly run: number | undefined
  readonly round: number | undefined
  readonly draws: number | undefined
  readonly question: string | undefined
}

/** A question's file, which says the rest, or what the options name. @throws ROTA-1006, ROTA-1102 */
function whatIsAsked({ run, round, draws, question }: Asked) {
  if (question === undefined) return { run: runId(needed('consent open', '--run', run)), round: roundNo(needed('consent open', '--round', round)), draws }
  const other = run !== undefined ? '--run' : round !== undefined ? '--round' : draws !== undefined ? '--draws' : null
  if (other !== null) throw new RotaError('ROTA-1102', { option: '--question', other })
  return question
}

export const consent_verify = command({
  name: 'consent verify',
  group: 'Consent',
  summary: 'check, anywhere, what a site showed about a receipt against the chain',
  description: `Needs the receipt, the site's proof and a chain endpoint, and no account. Without --proof the receipt itself is checked: who countersigned it, and that
the root on chain holds it. --confirmation checks what a desk handed out to somebody who withdrew; --certificate what rota consent unlearn wrote, with the receipt of the record, or without it under the programme that
you name or that the study's protocol names: never as the certificate says. It shows what the hospital declared under its signature, not what it did with
rows that it kept quiet about. Exit code 1 when the proof does not hold.`,
  options: {
    receipt: text('FILE', RECEIPT),
    proof: text('FILE', 'what rota consent prove --json wrote (default: the receipt itself is checked)'),
    confirmation: text('FILE', 'in place of a receipt: withdrawal-….json, as the hospital keeps it'),
    certificate: text('FILE', 'what rota consent unlearn --json wrote (with --receipt, or --contracts and --programme or --store)'),
    chain: text('URL', "JSON-RPC endpoint of the network's chain"),
    contracts: text('ADDRESS', "the network's directory contract (default: the one that the receipt names)"),
    ...programmeOptions,
  },
  example: [
    'rota consent verify --receipt receipt-1f0c9a.json --proof proof.json --chain ws://127.0.0.1:8545',
    'rota consent verify --confirmation withdrawal-1f0c9a4e11d8be02.json --chain ws://127.0.0.1:8545',
    'rota consent verify --receipt receipt-1f0c9a.json --certificate certificate.json --chain ws://127.0.0.1:8545',
  ],
  async run({ options, out, signal }) {
    const { confirmation, certificate } = options
    refuseBoth(options)
    const where = { chain: needed('consent verify', '--chain', options.chain), contracts: options.contracts, signal }
    if (confirmation !== undefined) return verifyConfirmation(out, { ...where, confirmation })
    if (certificate !== undefined) return verifyCertificate(out, { ...where, certificate, ...whoseRecord(options) })
    const { verifyReceipt } = await import('#app/consent/consent-verify.ts')
    const { verdictText } = await import('#cli/output/consent-text.ts')
    const call = { ...where, receipt: needed('consent verify', '--receipt', options.receipt) }
    if (options.proof === undefined) {
      const { checkReceipt } = await import('#app/consent/receipt-check.ts')
      const { checkedText } = await import('#cli/output/consent-text.ts')
      const checked = await checkReceipt(call)
      out.result(checked, () => checkedText(checked, out.style))
      return checked.valid ? 0 : 1
    }
    const verdict = await verifyReceipt({ ...call, proof: options.proof })
    out.result(verdict, () => verdictText(verdict, out.style))
    return verdict.valid ? 0 : 1
  },
})

interface VerifyOptions extends ProgrammeOptions {
  readonly receipt: string | undefined
  readonly proof: string | undefined
  readonly confirmation: string | undefined
  readonly certificate: string | undefined
  readonly contracts: string | undefined
}

const NOT_TOGETHER = [
  ...([['receipt', 'confirmation'] as const, ['certificate', 'confirmation'] as const, ['certificate', 'proof'] as const] as const),
  ...(['receipt', 'confirmation'] as const).flatMap((one) => [[one, 'programme'] as const, [one, 'store'] as const]),
]

/** A certificate alone may come with the receipt that it is about, which then says the programme. @throws ROTA-1102 */
function refuseBoth(options: VerifyOptions): void {
  const isGiven = (name: (typeof NOT_TOGETHER)[number][number]): boolean => (name === 'store' ? options.store.length > 0 : options[name] !== undefined)
  for (const [one, other] of NOT_TOGETHER) if (isGiven(one) && isGiven(other)) throw new RotaError('ROTA-1102', { option: `--${one}`, other: `--${other}` })
}

/** The record that a certificate has to be about, and its network. @throws ROTA-1006, ROTA-1102 */
function whoseRecord(options: VerifyOptions): Pick<CertificateCall, 'whose' | 'contracts'> {
  const { receipt, contracts } = options
  if (receipt !== undefined) return { whose: { receipt }, contracts }
  const whose = knownProgramme('consent verify', options, '--receipt, --programme or --store')
  return { whose, contracts: needed('consent verify', '--contracts', contracts) }
}

async function verifyConfirmation(out: Output, call: Parameters<typeof checkConfirmation>[0]): Promise<0 | 1> {
  const { checkConfirmation } = await import('#app/consent/confirmation-check.ts')
  const { confirmationText } = await import('#cli/output/consent-text.ts')
  const verdict = await checkConfirmation(call)
  out.result(verdict, () => confirmationText(verdict, out.style))
  return verdict.valid ? 0 : 1
}

async function verifyCertificate(out: Output, call: CertificateCall): Promise<0 | 1> {
  const { checkCertificate } = await import('#app/unlearn/certificate-check.ts')
  const { certificateVerdictText } = await import('#cli/output/unlearn-text.ts')
  const verdict = await checkCertificate(call)
  out.result(verdict, () => certificateVerdictText(verdict, out.style))
  return verdict.valid ? 0 : 1
}
