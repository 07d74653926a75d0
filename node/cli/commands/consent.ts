import { RotaError } from '#base/errors.ts'
import { roundNo, runId } from '#base/ids.ts'
import { command } from '../command-file.ts'
import { needed } from '../needed.ts'
import { flag, list, text, whole } from '../options.ts'
import { passwordFrom, siteOptions } from '../site-options.ts'

const programme = text('NAME', 'the consent programme, as protocols name it')

export const consent_record = command({
  name: 'consent record',
  group: 'Consent',
  summary: "record patients' consents, and write the receipt that each takes home",
  description: `A receipt is all that is needed to withdraw: hand it over (handover.csv beside them says whose is which), then delete it here. The root over all
standing consents goes on chain under the next epoch; it names nobody. With neither --patients nor --all only the root is put there.`,
  options: {
    ...siteOptions,
    programme,
    patients: text('FILE', "one patient a line, named as in this site's data"),
    all: flag('every patient of the data file who is not in the record yet'),
    receipts: text('DIR', 'where the receipts go'),
  },
  example: 'rota consent record --folder ./cleveland --programme research --patients agreed.txt --receipts ./receipts',
  async run({ options, out, signal }) {
    const { recordConsents } = await import('#app/consent/consent-record.ts')
    const { recordedText } = await import('#cli/output/consent-text.ts')
    const name = needed('consent record', '--programme', options.programme)
    if (options.all && options.patients !== undefined) throw new RotaError('ROTA-1102', { option: '--all', other: '--patients' })
    const patients = options.all ? 'all' : options.patients === undefined ? 'none' : { file: options.patients }
    const receipts = patients === 'none' ? '.' : needed('consent record', '--receipts', options.receipts)
    const made = await recordConsents({ folder: options.folder, password: passwordFrom(options), signal, programme: name, patients, receipts })
    out.result(made, () => recordedText(made, out.style))
    return made.problem === null ? 0 : new RotaError(made.problem.code).exitCode
  },
})

export const consent_withdraw = command({
  name: 'consent withdraw',
  group: 'Consent',
  summary: 'withdraw consents: by receipt from anywhere, or at the desk by name',
  description: `By receipt nobody else is asked: the receipt's own key signs, and this command relays it free of charge, to --chain and --contracts or to the
network of --folder. At the desk (--folder, --programme and --patient) this site stops at once; with --receipts, the patient's receipt there is relayed too.`,
  options: {
    ...siteOptions,
    receipt: list('FILE,…', 'receipts to withdraw'),
    receipts: text('DIR', 'a folder of receipts: all of them, or with --patient the one of that patient'),
    chain: text('URL', "JSON-RPC endpoint of the network's chain"),
    contracts: text('ADDRESS', "the network's directory contract"),
    programme,
    patient: text('NAME', "the patient, named as in this site's data"),
  },
  example: [
    'rota consent withdraw --receipt receipt-1f0c9a.json --chain ws://127.0.0.1:8545 --contracts 0x5FbDB2315678afecb367f032d93F642f64180aa3',
    'rota consent withdraw --folder ./cleveland --programme research --patient 4711',
  ],
  async run({ options, out, signal }) {
    const { receiptsIn, relayWithdrawals, withdrawAtDesk } = await import('#app/consent/consent-withdraw.ts')
    const { deskText, withdrawnText } = await import('#cli/output/consent-text.ts')
    if (options.patient !== undefined) {
      const call = { folder: options.folder, password: passwordFrom(options), signal, programme: needed('consent withdraw', '--programme', options.programme) }
      const done = await withdrawAtDesk({ ...call, patient: options.patient, receipts: options.receipts })
      out.result(done, () => deskText(done, out.style))
      return done.problem === null ? 0 : new RotaError(done.problem.code).exitCode
    }
    const files = options.receipt.length > 0 ? options.receipt : await receiptsIn(needed('consent withdraw', '--receipt', options.receipts))
    const where =
      options.chain !== undefined || options.contracts !== undefined ? named(options) : await (await import('#app/site/config.ts')).readConfig(options.folder)
    const progress = out.progress('Withdrawing')
    try {
      const withdrawn = await relayWithdrawals(where, files, signal, (count) => progress.update(`${count} of ${files.length}`))
      progress.done()
      out.result({ withdrawn }, () => withdrawnText(withdrawn, out.style))
    } finally {
      progress.done()
    }
    return 0
  },
})

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
  summary: 'open the cohort that this site declared for a round to an auditor',
  description: `Writes (--json, into a file) what lets an auditor see that the cohort lies within the consents that stood and holds nobody who had withdrawn: rota audit
cohort. It names nobody; who has it sees how many there are, and which of them withdraw later.`,
  options: { ...siteOptions, run: whole('N', 'the run', { from: 1 }), round: whole('N', 'the round', { from: 1 }) },
  example: 'rota consent open --folder ./cleveland --run 1 --round 3 --json > cohort.json',
  async run({ options, out, signal }) {
    const { openCohort } = await import('#app/consent/consent-open.ts')
    const { openedText } = await import('#cli/output/consent-text.ts')
    const run = runId(needed('consent open', '--run', options.run))
    const round = roundNo(needed('consent open', '--round', options.round))
    const opening = await openCohort({ folder: options.folder, password: passwordFrom(options), signal, run, round })
    out.result(opening, () => openedText(opening, out.style))
  },
})

export const consent_verify = command({
  name: 'consent verify',
  group: 'Consent',
  summary: 'check, anywhere, what a site showed about a receipt against the chain',
  description: `Needs the receipt, the site's proof and a chain endpoint, and no account. It shows what the hospital declared under its signature, not what it did with
rows that it kept quiet about. Exit code 1 when the proof does not hold.`,
  options: {
    receipt: text('FILE', RECEIPT),
    proof: text('FILE', 'what rota consent prove --json wrote'),
    chain: text('URL', "JSON-RPC endpoint of the network's chain"),
    contracts: text('ADDRESS', "the network's directory contract (default: the one that the receipt names)"),
  },
  example: 'rota consent verify --receipt receipt-1f0c9a.json --proof proof.json --chain ws://127.0.0.1:8545',
  async run({ options, out, signal }) {
    const { verifyReceipt } = await import('#app/consent/consent-verify.ts')
    const { verdictText } = await import('#cli/output/consent-text.ts')
    const verdict = await verifyReceipt({
      receipt: needed('consent verify', '--receipt', options.receipt),
      proof: needed('consent verify', '--proof', options.proof),
      chain: needed('consent verify', '--chain', options.chain),
      contracts: options.contracts,
      signal,
    })
    out.result(verdict, () => verdictText(verdict, out.style))
    return verdict.valid ? 0 : 1
  },
})

const named = (options: { readonly chain: string | undefined; readonly contracts: string | undefined }) => ({
  chain: needed('consent withdraw', '--chain', options.chain),
  contracts: needed('consent withdraw', '--contracts', options.contracts),
})

export const consent_status = command({
  name: 'consent status',
  group: 'Consent',
  summary: 'show how consents stand here and on chain, or what became of one receipt',
  description: `Counts stay on this screen. With --receipt: whether its tag is withdrawn, and for each round of this site whether it was in the cohort that the
site committed to. rota consent prove makes a proof of it.`,
  options: { ...siteOptions, programme, receipt: list('FILE,…', 'receipts to follow up') },
  example: ['rota consent status --folder ./cleveland', 'rota consent status --folder ./cleveland --receipt receipt-1f0c9a.json'],
  async run({ options, out, signal }) {
    const { consentStatus } = await import('#app/consent/consent-status.ts')
    const { consentText } = await import('#cli/output/consent-text.ts')
    const status = await consentStatus({
      folder: options.folder,
      password: passwordFrom(options),
      signal,
      programme: options.programme,
      receipts: options.receipt,
    })
    out.result(status, () => consentText(status, out.style))
  },
})
