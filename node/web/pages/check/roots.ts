import { fromHex } from '#base/bytes.ts'
import type { AuditedRecord } from '#core/consent/cohort-opening.ts'
import { coinBlock } from '#core/consent/cohort-sample.ts'
import { programmeId } from '#patient/keys.ts'
import type { ToldBlock, ToldRecords, Withdrawn } from '#patient/portal-api.ts'
import { askJson } from '#web/pages/shared/ask.ts'
import { nameOf, type Portal, type Portals } from './portals.ts'
import type { Shown } from './shown-file.ts'

/** What chains say of a cohort, as all portals that answered tell it. */
export interface Roots {
  readonly record: AuditedRecord
  /** The block whose hash draws, where one does; its hash is null as long as it is to come. */
  readonly coin: ToldBlock | null
  readonly sources: readonly string[]
}

/** `no-round`: no chain knows the round. `disagree`: nothing is concluded. `no-answer`: of those that were there before nobody answers. */
export type NoRoots = 'no-round' | 'disagree' | 'no-answer'

interface Told {
  readonly name: string
  readonly network: string
  readonly round: ToldRecords['rounds'][number] | undefined
  readonly epochs: ToldRecords['epochs']
  readonly withdrawn: Withdrawn['withdrawn']
  readonly coin: ToldBlock | null
}

/** Asks each portal for roots and withdrawals: what it learns of the file is site, run and round, and of a proof which epochs it shows. */
export async function readRoots({ known }: Portals, shown: Shown, programme: string): Promise<Roots | NoRoots> {
  const asked = await Promise.all(known.map((portal) => toldBy(portal, shown, programme).catch(() => null)))
  const told = asked.flatMap((each) => each ?? [])
  const [first] = told
  if (first === undefined) return 'no-answer'
  const said = ({ network, round, epochs, withdrawn, coin }: Told): string =>
    JSON.stringify([
      ...[network, round?.openedAtBlock, round?.contributed?.root, round?.contributed?.block, coin],
      ...[epochs.map((e) => [e.epoch, e.root, e.block]), withdrawn.map(({ tag, block }) => `${block} ${tag}`).sort()],
    ])
  if (told.some((each) => said(each) !== said(first))) return 'disagree'
  if (first.round === undefined) return 'no-round'
  const { openedAtBlock, contributed } = first.round
  const record = { network: fromHex(first.network), openedAtBlock, contributed, epochs: first.epochs, withdrawn: first.withdrawn }
  return { record, coin: first.coin, sources: told.map(({ name }) => name) }
}

async function toldBy(portal: Portal, { kind, file }: Shown, programme: string): Promise<Told> {
  const id = programmeId(programme)
  const ask = <T>(path: string, query: Readonly<Record<string, string>>) =>
    askJson<T>(`${portal.url}/api/${path}?${new URLSearchParams(query)}`, { timeoutMs: 60_000 })
  const epochs = kind === 'proof' ? [file.granted.epoch, ...(file.standing === null ? [] : [file.standing.epoch])] : []
  const of = { programme: id, site: String(file.site) }
  const records = await ask<ToldRecords>('records', { ...of, rounds: `${file.run}.${file.round}`, epochs: epochs.join(',') })
  const round = records.rounds.find((each) => each.run === file.run && each.round === file.round)
  const until = round === undefined ? null : await ask<Withdrawn>('withdrawn', { programme: id, until: String(round.openedAtBlock) })
  const draws = kind === 'sample' && file.seed === null && round?.contributed ? coinBlock(round.contributed.block) : null
  const coin = draws === null ? null : await ask<ToldBlock>('block', { number: String(draws) })
  return { name: nameOf(portal), network: records.network, round, epochs: records.epochs, withdrawn: until?.withdrawn ?? [], coin }
}
