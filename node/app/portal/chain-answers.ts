import { programmesWithTerms } from '#app/programme/terms-on-chain.ts'
import { toDigest } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import { type Address, type Digest, runId } from '#base/ids.ts'
import { networkDigest } from '#core/consent/cohort-map.ts'
import type { ChainRecord } from '#core/consent/cohort-proof.ts'
import type { OnChain, ToldProgramme, ToldRecord, ToldRecords, Withdrawn } from '#patient/portal-api.ts'
import type { ChainEvent, ChainReader } from '#ports/chain.ts'
import type { AskedRecords, PortalWork, RoundPlace } from '#web/portal/portal-parts.ts'
import { programmeId } from '#wire/programme.ts'
import { sha256 } from '../sha256.ts'

/** Without terms nobody promised how long a relay may wait. */
const USUAL_DELAY_HOURS = 1
const HOUR_MS = 3_600_000

/** All that is asked of the chain. */
type Log = Pick<ChainReader, 'chainId' | 'events' | 'head'>
type Of<Kind extends ChainEvent['kind']> = Extract<ChainEvent, { kind: Kind }>

/** What a portal says of its chain alone; a relay that belongs to no site says the same. */
export interface ChainAnswers extends Pick<PortalWork, 'withdrawn' | 'withdrawnUntil' | 'block' | 'records' | 'record'> {
  /** With what the site itself knows the names of. */
  programmes(own: readonly string[]): Promise<readonly ToldProgramme[]>
  onChain(programme: Digest, tag: Digest): Promise<OnChain | null>
  /** @throws ROTA-6504 */
  promiseMs(programme: Digest): Promise<number>
}

/** @param hashOf a block that there is */
export function chainAnswers(chain: Log, contracts: Address, hashOf: (block: number) => Promise<Digest>): ChainAnswers {
  const network = networkDigest(chain.chainId, contracts, sha256)
  const withdrawals = async (programme: Digest): Promise<readonly Of<'ConsentWithdrawn'>[]> => {
    const events = await chain.events(0, { kinds: ['ConsentWithdrawn'] })
    return events.filter((e): e is Of<'ConsentWithdrawn'> => e.kind === 'ConsentWithdrawn' && e.programme === programme)
  }
  const records = (asked: AskedRecords) => recordsOf(chain, toDigest(network), asked)
  return {
    async programmes(own) {
      const terms = await programmesWithTerms(chain)
      return [...new Set([...terms.keys(), ...own])].map((name) => ({ name, id: programmeId(name, sha256), terms: terms.get(name)?.terms ?? null }))
    },
    async onChain(programme, tag) {
      const found = (await withdrawals(programme)).find((e) => e.tag === tag)
      return found === undefined ? null : { state: 'on chain', tag, block: found.block, time: found.timestamp }
    },
    async promiseMs(programme) {
      const known = await chain.events(0, { kinds: ['ConsentRoot', 'TermsPublished'] })
      if (!known.some((e) => 'programme' in e && e.programme === programme)) throw new RotaError('ROTA-6504', { programme })
      const terms = [...(await programmesWithTerms(chain)).values()].find((published) => programmeId(published.terms.programme, sha256) === programme)
      return (terms?.terms.relayDelayHours ?? USUAL_DELAY_HOURS) * HOUR_MS
    },
    async withdrawn(programme, prefix): Promise<Withdrawn> {
      return told((await withdrawals(programme)).filter(({ tag }) => tag.startsWith(prefix)))
    },
    async withdrawnUntil(programme, block): Promise<Withdrawn> {
      return told((await withdrawals(programme)).filter((e) => e.block <= block))
    },
    block: async (number) => ({ number, hash: (await chain.head()).number < number ? null : await hashOf(number) }),
    records,
    async record({ tag, run, round, ...asked }): Promise<ToldRecord> {
      const [withdrawn, roots] = await Promise.all([withdrawals(asked.programme), rootsOf(chain, asked)])
      const shown = (await records({ ...asked, rounds: [{ run, round }], epochs: [] })).rounds[0]
      if (shown === undefined) throw new RotaError('ROTA-6010', { run, round })
      return {
        network: toDigest(network),
        openedAtBlock: shown.openedAtBlock,
        contributed: shown.contributed,
        epochs: roots,
        withdrawnAtBlock: withdrawn.find((e) => e.tag === tag)?.block ?? null,
      }
    },
  }
}

const told = (events: readonly Of<'ConsentWithdrawn'>[]): Withdrawn => ({
  withdrawn: events.map(({ tag, block, timestamp }) => ({ tag, block, time: timestamp })),
})

async function recordsOf(chain: Log, network: Digest, asked: AskedRecords): Promise<ToldRecords> {
  const rounds = await Promise.all(asked.rounds.map((place) => roundOf(chain, asked.site, place)))
  const known = rounds.flatMap((round) => round ?? [])
  const roots = await rootsOf(chain, asked)
  const stood = known.map(({ contributed }) => roots.findLast(({ block }) => block <= (contributed?.block ?? 0))?.epoch)
  return { network, rounds: known, epochs: roots.filter(({ epoch }) => stood.includes(epoch) || asked.epochs.includes(epoch)) }
}

async function roundOf(chain: Log, site: number, { run, round }: RoundPlace): Promise<ToldRecords['rounds'][number] | null> {
  const events = await chain.events(0, { run: runId(run), kinds: ['RoundOpened', 'Contributed'] })
  const opened = events.find((e) => e.kind === 'RoundOpened' && e.round === round)
  if (opened === undefined) return null
  const mine = events.findLast((e): e is Of<'Contributed'> => e.kind === 'Contributed' && e.site === site && e.round === round)
  const contributed = mine === undefined ? null : { root: mine.cohortRoot, block: mine.block }
  return { run, round, openedAtBlock: opened.block, openedAt: opened.timestamp, contributed }
}

async function rootsOf(chain: Log, { programme, site }: Pick<AskedRecords, 'programme' | 'site'>): Promise<ChainRecord['epochs']> {
  const events = await chain.events(0, { kinds: ['ConsentRoot'] })
  const own = events.filter((e): e is Of<'ConsentRoot'> => e.kind === 'ConsentRoot' && e.site === site && e.programme === programme)
  return own.map(({ epoch, root, block }) => ({ epoch, root, block }))
}
