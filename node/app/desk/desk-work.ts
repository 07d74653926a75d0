import { hasEnded } from '#adapters/cohort/consent-end.ts'
import { patientDigest } from '#adapters/cohort/patient-digest.ts'
import { systemClock } from '#adapters/host/system-host.ts'
import { withdrawalsUnder } from '#app/site/at-site.ts'
import type { SiteFolder } from '#app/site/site-folder.ts'
import type { StudyCall } from '#app/study/studies.ts'
import type { Digest } from '#base/ids.ts'
import type { DeskWork } from '#web/desk/desk-work.ts'
import { refusal } from '#web/desk/refusal.ts'
import type { DeskProgramme, Person, PersonConsent } from '#wire/desk-api.ts'
import { type DeskChain, deskChain } from './desk-chain.ts'
import { confirmForPatient } from './desk-confirm.ts'
import { importAtDesk, previewAtDesk } from './desk-import.ts'
import { deskProgrammes } from './desk-programmes.ts'
import { recordAtDesk } from './desk-record.ts'
import { type DeskSite, hasRows } from './desk-site.ts'
import { withdrawForPatient } from './desk-withdraw.ts'

/**
 * Acts of the command line, for a desk that stays open. Consents are recorded one at a time, so that two stewards do not record one patient
 * twice; a withdrawal waits for nobody.
 */
export function deskWork(folder: SiteFolder, call: StudyCall): DeskWork & { readonly chain: DeskChain; stop(): Promise<void> } {
  const chain = deskChain(folder, call.signal)
  const site: DeskSite = { folder, call, chain, programmes: deskProgrammes(folder, call, chain) }
  const inTurn = queue()
  return {
    siteName: folder.config.name,
    digestOf: (patient) => patientDigest(folder.vault, patient),
    programmes: site.programmes,
    find: (patient) => findPerson(site, patient),
    record: (act) => inTurn(async () => recordAtDesk(site, act, await known(site, act.programme))),
    withdraw: async (act) => withdrawForPatient(site, act, () => known(site, act.programme)),
    confirm: (act) => confirmForPatient(site, act),
    previewImport: async (file) => previewAtDesk(site, file, await known(site, file.programme)),
    importConsents: (file) => inTurn(async () => importAtDesk(site, file, await known(site, file.programme))),
    chain,
    stop: () => chain.stop(),
  }
}

/** A mistyped name would otherwise begin a programme of its own. @throws ROTA-6706 */
async function known(site: DeskSite, name: string): Promise<DeskProgramme> {
  const found = (await site.programmes()).find((programme) => programme.name === name)
  if (found === undefined) throw refusal('no such programme here')
  return found
}

async function findPerson(site: DeskSite, patient: string): Promise<Person> {
  const { folder, chain } = site
  const [entries, programmes, inData] = await Promise.all([
    folder.consents.entriesOf(patientDigest(folder.vault, patient)),
    site.programmes(),
    hasRows(folder, patient),
  ])
  const blocks = await chain.read(
    async (reader) => new Map(await Promise.all(programmes.map(async ({ name }) => [name, await withdrawalsUnder(reader, name)] as const))),
  )
  const consents = programmes.map(({ name }): PersonConsent => {
    const last = entries.findLast((entry) => entry.programme === name)
    const tag: Digest | null = last?.tag ?? null
    const withdrawnAtBlock = tag === null ? null : (blocks?.get(name)?.get(tag) ?? null)
    const until = last?.until ?? null
    const ended = last?.kind === 'granted' && hasEnded(until, systemClock.nowMs())
    return { programme: name, state: ended ? 'ended' : (last?.kind ?? 'none'), since: last?.at ?? null, until, tag, withdrawnAtBlock }
  })
  return { patient, inData, consents, chainReached: blocks !== null }
}

function queue(): <T>(work: () => Promise<T>) => Promise<T> {
  let before: Promise<unknown> = Promise.resolve()
  return (work) => {
    const mine = before.then(work)
    before = mine.catch(() => undefined)
    return mine
  }
}
