import { appendFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectChain } from '#adapters/chain/ethers-chain.ts'
import { readReceipt } from '#adapters/cohort/receipt.ts'
import { openAccount } from '#adapters/vault/site-vault.ts'
import { recordConsents } from '#app/consent/consent-record.ts'
import { sha256 } from '#app/sha256.ts'
import { sitePaths } from '#app/site/site-paths.ts'
import { toHex } from '#base/bytes.ts'
import { address } from '#base/ids.ts'
import { expiresAt, type Terms } from '#core/consent/terms.ts'
import { type Card, cardLink, readCardLink } from '#patient/card.ts'
import { consentDomain } from '#patient/typed-data.ts'
import { signWithdrawal } from '#patient/withdrawal.ts'
import { programmeId } from '#wire/programme.ts'
import { encodeTerms, termsDigest } from '#wire/terms.ts'
import { type Hospitals, makeHospitals } from '../support/hospitals.ts'
import { generatedStudy, LOGISTIC } from '../support/studies.ts'

export const PROGRAMME = 'readmission'
/** Whatever a member calls itself, a page shows it as text. */
export const EVIL_NAME = '<img src=x onerror=document.title=1>'
/** As files without a column for patients name them: of those who have a card. */
export const PATIENTS = ['line 2', 'line 3', 'line 4', 'line 5', 'line 6']
const PASSWORD = 'correct horse battery staple'
const signal = new AbortController().signal

export interface PatientWorld {
  readonly hospitals: Hospitals
  readonly portals: readonly string[]
  readonly terms: Terms
  /** Cards of patients of the first hospital. */
  readonly cards: readonly Card[]
  /** Their files, in the folder `receipts`. */
  readonly receipts: readonly string[]
  /** The page at a portal, opened with a card; its portals in another order or others, when given. */
  link(card: Card, change?: { readonly at?: string; readonly portals?: readonly string[]; readonly language?: string }): string
  /** Withdraws with the card, by a transaction of nobody's. */
  relayed(card: Card): Promise<void>
  /** Plays a run of the exact study to its end. */
  playRun(): Promise<void>
  stop(): Promise<void>
}

/** Two hospitals whose nodes serve portals; terms on chain, and consents at the first. */
export async function patientWorld(
  longestDelaySeconds = 2,
  names: readonly string[] = ['Heart Centre', EVIL_NAME],
  termsOf: (portals: readonly string[]) => Terms = termsWith,
): Promise<PatientWorld> {
  const limits = Object.fromEntries(['keying', 'contributing', 'witnessing', 'publishing', 'attesting'].map((phase) => [phase, { seconds: 9, blocks: 7 }]))
  const { lawfulBasis } = termsOf([])
  const change = { limits, programme: PROGRAMME, lawfulBasis }
  const { sites, cohort, protocol } = generatedStudy({ sites: 2, rows: 50, learner: { ...LOGISTIC, l2: 0.01 }, change })
  const named = sites.map((site, i) => ({ ...site, name: names[i] ?? site.name }))
  const hospitals = await makeHospitals(named, cohort.label.name)
  try {
    for (const folder of hospitals.folders) {
      await appendFile(sitePaths(folder).config, `portal:\n  listen: 127.0.0.1:0\n  requestsPerMinute: 100000\n  longestDelaySeconds: ${longestDelaySeconds}\n`)
    }
    await hospitals.startAll()
    const portals = hospitals.nodes.flatMap((node) => node?.events.flatMap((e) => (e.event === 'started' && e.portal !== undefined ? [e.portal] : [])) ?? [])
    const terms = termsOf(portals)
    await publishTerms(hospitals, terms)
    const call = { folder: hospitals.folders[0] as string, password: null, signal }
    const under = { programme: PROGRAMME, receipts: join(hospitals.dir, 'receipts') }
    // By consent nobody is in who did not agree: then all do, at both.
    const agreed = sites.map(({ rows }) => Array.from({ length: rows.train.rows + rows.test.rows }, (_, i) => `line ${i + 2}`))
    const isAsked = lawfulBasis === 'consent'
    const { receipts } = await recordConsents({ ...call, ...under, patients: { names: isAsked ? (agreed[0] ?? []) : PATIENTS } })
    await untilRooted(call)
    for (const [i, names] of isAsked ? agreed.entries() : []) {
      if (i === 0) continue
      const other = { ...call, folder: hospitals.folders[i] as string }
      await recordConsents({ ...other, ...under, patients: { names }, receipts: join(hospitals.dir, `receipts-${i}`) })
      await untilRooted(other)
    }
    const cards = await Promise.all(receipts.map(async ({ file }) => cardIn(file)))
    return {
      hospitals,
      portals,
      terms,
      cards,
      receipts: receipts.map(({ file }) => basename(file)),
      link: (card, { at = portals[0], portals: others, language } = {}) =>
        cardLink(`${at}/${language === undefined ? '' : `?lang=${language}`}`, { ...card, portals: others ?? card.portals }),
      async relayed({ secret, programme }) {
        const writer = await connectChain({ url: hospitals.chain.url, contracts: address(hospitals.contracts), signer: `0x${'5a'.repeat(32)}`, signal })
        const domain = consentDomain(writer.chainId, writer.link.addresses.ConsentRegistry)
        await writer.withdrawMany(programmeId(programme, sha256), [signWithdrawal(secret, programme, domain)])
        await writer.stop()
      },
      async playRun() {
        const study = await hospitals.publish(protocol)
        const run = await hospitals.openRun(study)
        for (const node of hospitals.nodes) await node?.until((e) => e.event === 'run-over' && e.run === run)
      },
      stop: () => hospitals.stop(),
    }
  } catch (error) {
    await hospitals.stop()
    throw error
  }
}

/** Consents count from the root at the next step of the terms' cadence. */
async function untilRooted(call: { readonly folder: string; readonly password: null; readonly signal: AbortSignal }): Promise<void> {
  for (const end = Date.now() + 30_000; Date.now() < end; await sleep(500)) {
    if ((await recordConsents({ ...call, programme: PROGRAMME, patients: 'none', receipts: '.' })).root !== null) return
  }
  throw new Error('no root of the consents came on chain')
}

async function cardIn(file: string): Promise<Card> {
  const receipt = await readReceipt(file)
  const card = receipt.version === 2 && receipt.card !== null ? readCardLink(receipt.card) : null
  if (card === null) throw new Error(`${file} has no card`)
  return card
}

export const termsWith = (portals: readonly string[]): Terms => ({
  version: 1,
  programme: PROGRAMME,
  lawfulBasis: 'opt-out',
  expires: '2041-12-31',
  // Two seconds: a test does not wait for an hour.
  cadenceHours: 2 / 3600,
  relayDelayHours: 1,
  controllers: [{ name: 'Heart Centre', contact: 'Main Street 1, Springfield' }],
  dataProtectionOfficer: { name: 'Dr. Ada Example', email: 'privacy@heart.example' },
  dataCategories: ['dpv-pd:MedicalHealth', '<b>age</b>'],
  ombudsman: null,
  portals,
  texts: {
    en: {
      title: 'Fewer returns to hospital',
      purpose: 'To foresee which patients may have to come back within 30 days, and to prevent it.',
      data: 'Age, laboratory values and diagnoses of your stay. <script>document.title=2</script>',
      withdrawing: 'Your hospital stops at once. The next round goes on without your record.',
      limits: 'A model that was trained before keeps what it learned.',
    },
    de: {
      title: 'Weniger Rückkehr ins Krankenhaus',
      purpose: 'Um vorherzusehen, wer innerhalb von 30 Tagen zurückkommen muss, und das zu verhindern.',
      data: 'Alter, Laborwerte und Diagnosen Ihres Aufenthalts.',
      withdrawing: 'Ihre Klinik hört sofort auf. Die nächste Runde läuft ohne Ihre Daten.',
      limits: 'Ein Modell, das vorher trainiert wurde, behält, was es gelernt hat.',
    },
  },
})

/** By the first hospital's steward. */
export async function publishTerms({ folders, chain, contracts, dir }: Hospitals, terms: Terms): Promise<void> {
  await writeFile(join(dir, 'terms.json'), JSON.stringify(terms))
  const { privateKey } = await openAccount(sitePaths(folders[0] as string).steward, PASSWORD)
  const writer = await connectChain({ url: chain.url, contracts: address(contracts), signer: privateKey, signal })
  try {
    await writer.publishTerms(programmeId(terms.programme, sha256), {
      version: terms.version,
      digest: termsDigest(terms, sha256),
      basis: terms.lawfulBasis,
      ombudsman: null,
      expiresAt: expiresAt(terms),
      text: toHex(encodeTerms(terms)),
    })
  } finally {
    await writer.stop()
  }
}
