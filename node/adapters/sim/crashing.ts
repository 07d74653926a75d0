import { RotaError } from '#base/errors.ts'
import type { RoundNo, RunId } from '#base/ids.ts'
import type { Chain, ChainWriter } from '#ports/chain.ts'
import type { Journal, JournalEntry } from '#ports/journal.ts'
import { replacing } from './liar.ts'
import { forever, type Life } from './life.ts'
import type { SimTime } from './time.ts'

/** A table, so that a call that is added to the port cannot be forgotten here. */
const ALL_WRITES: Readonly<Record<keyof ChainWriter, true>> = {
  openRun: true,
  charge: true,
  key: true,
  justify: true,
  contribute: true,
  abstain: true,
  extend: true,
  witness: true,
  publish: true,
  attest: true,
  dispute: true,
  tick: true,
  ready: true,
  halt: true,
  publishEpoch: true,
  reportEpoch: true,
  publishTerms: true,
  consentRoot: true,
  withdraw: true,
  withdrawMany: true,
  withdrawByOmbudsman: true,
  audit: true,
}

export const WRITES = Object.keys(ALL_WRITES) as readonly (keyof ChainWriter)[]

/** Transactions and their answers only while the site lives. */
export function crashingChain<T extends Chain>(chain: T, life: Life): T {
  const writes: Partial<Record<keyof ChainWriter, unknown>> = {}
  for (const name of WRITES) {
    const write = chain[name].bind(chain) as (...args: unknown[]) => Promise<unknown>
    writes[name] = (...args: unknown[]) => life.at(`chain.${name}`, () => write(...args))
  }
  return replacing(chain, writes as Partial<T>)
}

/** Calls of this name never leave: the site waits for a block that has them, and tries again. */
export const silentChain = (chain: Chain, name: 'contribute' | 'publish' | 'witness', time: SimTime, strike: () => void): Chain =>
  replacing(chain, {
    [name]: async (run: RunId, round: RoundNo) => {
      strike()
      await time.sleep(UNMINED_MS)
      throw new RotaError('ROTA-5002', { tx: `${name} of round ${round} of run ${run}`, seconds: UNMINED_MS / 1000 })
    },
  })

const UNMINED_MS = 2_000

/** An entry whose crash comes after it is on disk when the site starts again; one that was torn is not. */
export function crashingJournal(journal: Journal, life: Life): Journal {
  const append = async (...entries: readonly JournalEntry[]): Promise<void> => {
    for (const entry of entries) {
      life.writing.add(entry)
      await life
        .at(`journal.${entry.kind}`, async () => {
          life.trouble.checkDisk('journal')
          await journal.append(entry)
        })
        .finally(() => life.writing.delete(entry))
    }
  }
  return {
    append,
    entries: () => journal.entries(),
    compact: async (run, round) => (life.alive ? journal.compact(run, round) : forever()),
    async burn(run, round, ...entries) {
      if (!life.alive) return forever()
      await journal.burn(run, round)
      await append(...entries)
    },
  }
}
