import { RotaError } from '#base/errors.ts'
import type { Chain, ChainReader, ChainWriter } from '#ports/chain.ts'
import type { SimChain } from './chain/chain.ts'
import { Snapshot } from './chain/snapshot.ts'
import { WRITES } from './crashing.ts'
import { digestOf } from './hash.ts'
import { replacing } from './liar.ts'
import type { SimTime } from './time.ts'
import type { Trouble } from './trouble.ts'

/** A call to an endpoint that is away is given up after this long; the real one waits longer, and asks for a retry too. */
const GIVEN_UP_MS = 1_000
/** A transaction of which nothing is heard is taken for unmined after this long. */
const UNHEARD_MS = 2_000
const LOOK_MS = 200
const URL_HERE = 'the simulated endpoint'

/** A site's chain as its own endpoint shows it: it may be away, fall behind, or lose answers. */
export function troubledEndpoint(chain: Chain, world: { readonly chain: SimChain; readonly time: SimTime }, trouble: Trouble): Chain {
  const { time } = world
  let shown: { readonly since: number; readonly now: Snapshot; readonly next: Snapshot } | null = null

  function behind(): Snapshot | null {
    const { endpoint } = trouble
    if (endpoint.kind !== 'behind') shown = null
    else if (shown === null) shown = { since: time.nowMs, now: new Snapshot(world.chain), next: new Snapshot(world.chain) }
    else if (time.nowMs - shown.since >= endpoint.byMs) shown = { since: time.nowMs, now: shown.next, next: new Snapshot(world.chain) }
    return shown?.now ?? null
  }

  async function reached(method: string): Promise<Snapshot | null> {
    if (trouble.endpoint.kind === 'other-chain')
      throw new RotaError('ROTA-5005', { url: URL_HERE, genesis: digestOf('genesis', 'another'), expected: chain.genesis })
    if (trouble.endpoint.kind !== 'away') return behind()
    await time.sleep(GIVEN_UP_MS)
    throw new RotaError('ROTA-5001', { url: URL_HERE, method })
  }

  const reads: Partial<ChainReader> = {
    head: async () => (await reached('head'))?.head ?? chain.head(),
    sites: async () => (await reached('sites'))?.sites ?? chain.sites(),
    studies: async () => (await reached('studies'))?.studies ?? chain.studies(),
    runs: async () => (await reached('runs'))?.runs ?? chain.runs(),
    study: async (id) => (await reached('study'))?.study(id) ?? chain.study(id),
    run: async (id) => (await reached('run'))?.run(id) ?? chain.run(id),
    events: async (from, filter) => (await reached('events'))?.events(from, filter) ?? chain.events(from, filter),
    epoch: async (study, epoch) => reached('epoch').then(() => chain.epoch(study, epoch)),
    isWithdrawn: async (programme, tag) => reached('isWithdrawn').then(() => chain.isWithdrawn(programme, tag)),
    onChange(wake) {
      const stops = [chain.onChange(() => void (trouble.endpoint.kind === 'away' || wake())), trouble.onBack(wake)]
      return () => stops.forEach((stop) => stop())
    },
  }

  /** A write resolves when its effect can be read, here too. */
  async function send<T>(name: string, write: () => Promise<T>): Promise<T> {
    await reached(name)
    const forgotten = trouble.endpoint.kind === 'forgetful'
    const result = await write()
    if (forgotten) {
      await time.sleep(UNHEARD_MS)
      throw new RotaError('ROTA-5002', { tx: name, seconds: UNHEARD_MS / 1_000 })
    }
    const { number } = world.chain.head()
    while ((behind()?.head.number ?? number) < number) await time.sleep(LOOK_MS)
    return result
  }

  const writes: Partial<Record<keyof ChainWriter, unknown>> = {}
  for (const name of WRITES) {
    const write = chain[name].bind(chain) as (...args: unknown[]) => Promise<unknown>
    writes[name] = (...args: unknown[]) => send(name, () => write(...args))
  }
  return replacing(chain, { ...reads, ...(writes as Partial<Chain>) })
}
