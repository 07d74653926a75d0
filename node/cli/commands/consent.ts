import { RotaError } from '#base/errors.ts'
import { command } from '../command-file.ts'
import { needed } from '../needed.ts'
import { flag, list, text } from '../options.ts'
import { passwordFrom, siteOptions } from '../site-options.ts'

const programme = text('NAME', 'the consent programme, as protocols name it')
const language = text('CODE', 'language of the sheets to print, as en or de (default: en where the terms have it)')

export const consent_record = command({
  name: 'consent record',
  group: 'Consent',
  summary: "record patients' consents, and write the receipt that each takes home",
  description: `A receipt is all that is needed to withdraw: hand it over (handover.csv beside them says whose is which), then delete it here. The root over all
standing consents goes on chain under the next epoch; it names nobody. With neither --patients nor --all only the root is put there. A programme with terms has
its roots at the steps of their cadence, put there by the running node: its consents count from the next one on. Beside each receipt lies a sheet to print,
with the code that opens the patient's page.`,
  options: {
    ...siteOptions,
    programme,
    patients: text('FILE', "one patient a line, named as in this site's data"),
    all: flag('every patient of the data file who is not in the record yet'),
    receipts: text('DIR', 'where the receipts go'),
    language,
  },
  example: 'rota consent record --folder ./cleveland --programme research --patients agreed.txt --receipts ./receipts',
  async run({ options, out, signal }) {
    const { recordConsents } = await import('#app/consent/consent-record.ts')
    const { recordedText } = await import('#cli/output/consent-text.ts')
    const name = needed('consent record', '--programme', options.programme)
    if (options.all && options.patients !== undefined) throw new RotaError('ROTA-1102', { option: '--all', other: '--patients' })
    const patients = options.all ? 'all' : options.patients === undefined ? 'none' : { file: options.patients }
    const receipts = patients === 'none' ? '.' : needed('consent record', '--receipts', options.receipts)
    const call = { folder: options.folder, password: passwordFrom(options), signal, programme: name }
    const made = await recordConsents({ ...call, patients, receipts, language: options.language })
    out.result(made, () => recordedText(made, out.style))
    return made.problem === null ? 0 : new RotaError(made.problem.code).exitCode
  },
})

export const consent_withdraw = command({
  name: 'consent withdraw',
  group: 'Consent',
  summary: 'withdraw consents: by receipt from anywhere, at the desk by name, or as the ombudsman',
  description: `By receipt nobody else is asked: the receipt's own key signs, and this command relays it free of charge, to --chain and --contracts or to the
network of --folder. At the desk (--folder, --programme and --patient) this site stops at once, and writes a countersigned confirmation to print; with --receipts,
the patient's receipt there is relayed too. The ombudsman whom the terms name (--ombudsman) needs no receipt, only the tag.`,
  options: {
    ...siteOptions,
    receipt: list('FILE,…', 'receipts to withdraw'),
    receipts: text('DIR', 'a folder of receipts: all of them, or with --patient the one of that patient'),
    chain: text('URL', "JSON-RPC endpoint of the network's chain"),
    contracts: text('ADDRESS', "the network's directory contract"),
    programme,
    patient: text('NAME', "the patient, named as in this site's data"),
    confirmations: text('DIR', "where confirmations of the desk go (default: withdrawals in the site's folder)"),
    language,
    ombudsman: text('KEYSTORE', "the key that the programme's terms name"),
    tag: list('TAG,…', 'tags to withdraw as the ombudsman, under --programme'),
  },
  example: [
    'rota consent withdraw --receipt receipt-1f0c9a.json --chain ws://127.0.0.1:8545 --contracts 0x5FbDB2315678afecb367f032d93F642f64180aa3',
    'rota consent withdraw --folder ./cleveland --programme research --patient 4711',
  ],
  async run({ options, out, signal }) {
    const { receiptsIn, relayWithdrawals } = await import('#app/consent/consent-withdraw.ts')
    const { deskText, withdrawnText } = await import('#cli/output/consent-text.ts')
    if (options.patient !== undefined) {
      const { withdrawAtDesk } = await import('#app/consent/withdraw-at-desk.ts')
      const call = { folder: options.folder, password: passwordFrom(options), signal, programme: needed('consent withdraw', '--programme', options.programme) }
      const { patient, receipts, confirmations, language } = options
      const done = await withdrawAtDesk({ ...call, patient, receipts, confirmations, language })
      out.result(done, () => deskText(done, out.style))
      return done.problem === null ? 0 : new RotaError(done.problem.code).exitCode
    }
    const where =
      options.chain !== undefined || options.contracts !== undefined ? named(options) : await (await import('#app/site/config.ts')).readConfig(options.folder)
    if (options.ombudsman !== undefined) {
      const { withdrawAsOmbudsman } = await import('#app/consent/consent-ombudsman.ts')
      if (options.tag.length > 0) needed('consent withdraw', '--programme', options.programme)
      if (options.tag.length + options.receipt.length === 0) needed('consent withdraw', '--tag', undefined)
      const what = { receipts: options.receipt, programme: options.programme, tags: options.tag }
      const call = { chain: where.chain, contracts: where.contracts, keystore: options.ombudsman, password: passwordFrom(options), signal }
      const withdrawn = await withdrawAsOmbudsman({ ...call, ...what })
      out.result({ withdrawn }, () => withdrawnText(withdrawn, out.style))
      return 0
    }
    const files = options.receipt.length > 0 ? options.receipt : await receiptsIn(needed('consent withdraw', '--receipt', options.receipts))
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

const named = (options: { readonly chain: string | undefined; readonly contracts: string | undefined }) => ({
  chain: needed('consent withdraw', '--chain', options.chain),
  contracts: needed('consent withdraw', '--contracts', options.contracts),
})

export const consent_status = command({
  name: 'consent status',
  group: 'Consent',
  summary: 'show how consents stand here and on chain, or what became of one receipt',
  description: `Counts stay on this screen. With --receipt: what happened with it (agreed, on chain, withdrawn and by which road, the first round without, what was
deleted), and for each round of this site whether it was in the cohort that the site committed to. rota consent prove makes a proof of it.`,
  options: {
    ...siteOptions,
    programme,
    receipt: list('FILE,…', 'receipts to follow up'),
    write: flag('write these receipts anew with what happened, countersigned, and their sheets'),
  },
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
      renew: options.write,
    })
    out.result(status, () => consentText(status, out.style))
  },
})

export const consent_show = command({
  name: 'consent show',
  group: 'Consent',
  summary: "show what this site's record holds of one patient, and what the patient signed",
  description: `Each entry under the programme: agreed or withdrawn, when, by which road, under which version of the terms. Whoever withdrew and consented again on the page
signed exactly that with the key of the old card; the signature is shown and checked. With --json it is evidence that the consent was given: it names nobody but by tags.`,
  options: { ...siteOptions, programme, patient: text('NAME', "the patient, named as in this site's data") },
  example: 'rota consent show --folder ./cleveland --programme research --patient 4711',
  async run({ options, out, signal }) {
    const { showConsents } = await import('#app/consent/consent-show.ts')
    const { shownText } = await import('#cli/output/consent-shown-text.ts')
    const shown = await showConsents({
      ...{ folder: options.folder, password: passwordFrom(options), signal },
      programme: needed('consent show', '--programme', options.programme),
      patient: needed('consent show', '--patient', options.patient),
    })
    out.result(shown, () => shownText(shown, out.style))
  },
})

export const consent_print = command({
  name: 'consent print',
  group: 'Consent',
  summary: 'make the sheet to print of a receipt again, in any language',
  description: `Writes it beside the receipt, as an HTML file that asks nobody for anything. It holds the patient's key like the receipt itself. Needs no site and no
chain: whoever holds the receipt can do it.`,
  options: { receipt: list('FILE,…', 'receipts to print'), language },
  example: 'rota consent print --receipt receipt-1f0c9a.json --language de',
  async run({ options, out }) {
    const { printReceipts } = await import('#app/consent/receipt-print.ts')
    if (options.receipt.length === 0) needed('consent print', '--receipt', undefined)
    const printed = await printReceipts(options.receipt, options.language)
    out.result({ printed }, () => printed.map(({ sheet }) => sheet).join('\n'))
  },
})

export const consent_confirm = command({
  name: 'consent confirm',
  group: 'Consent',
  summary: 'countersign what the desk printed of a withdrawal while the chain was away, or print it again',
  description: `A confirmation is signed for a network, whose chain says which; without it the desk prints one that is not countersigned yet. This makes it anew, with its sheet, from
the site's record and the chain: hand it over. With --programme and --patient, of that person's withdrawal; without, all in the folder's withdrawals that have no
signature, or those of --confirmation.`,
  options: {
    ...siteOptions,
    confirmation: list('FILE,…', 'withdrawal-….json, as the desk wrote them'),
    programme,
    patient: text('NAME', "the patient, named as in this site's data"),
    language,
  },
  example: ['rota consent confirm --folder ./cleveland', 'rota consent confirm --folder ./cleveland --programme research --patient 4711'],
  async run({ options, out, signal }) {
    const { countersign } = await import('#app/consent/withdrawal-countersign.ts')
    const { confirmedText } = await import('#cli/output/consent-text.ts')
    const call = { folder: options.folder, password: passwordFrom(options), signal }
    const { patient, confirmation, language: code } = options
    const which = patient === undefined ? { files: confirmation } : { patient, programme: needed('consent confirm', '--programme', options.programme) }
    const confirmed = await countersign({ ...call, which, language: code })
    out.result({ confirmed }, () => confirmedText(confirmed, out.style))
  },
})
