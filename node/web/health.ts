import { isRotaError } from '#base/errors.ts'
import type { ChainReader, Phase, RunState, RunView } from '#ports/chain.ts'

/** What `/healthz` tells: status 200 when `ok`, else 503. Holds nothing about a patient. */
export interface Health {
  /** The node works: the chain is in reach, and no trouble stands. */
  readonly ok: boolean
  readonly site: { readonly id: number; readonly name: string } | null
  readonly version: string
  readonly chain: {
    readonly head: number
    /** Blocks that this node has not taken in. */
    readonly lag: number
    readonly reachable: boolean
  }
  /** Members connected now. */
  readonly peers: number
  /** Each other member, as it was when last greeted; empty until the first have answered. */
  readonly members?: readonly MemberHealth[]
  /** Those under way. */
  readonly runs: readonly {
    readonly run: number
    readonly study: number
    readonly state: RunState
    readonly round: number
    readonly phase: Phase
    readonly leader: number
  }[]
  /** Why it is not ok, by codes of the catalogue. */
  readonly problems: readonly { readonly code: string; readonly what: string }[]
}

/** Where a node looks to tell how it is. */
export interface HealthSources {
  readonly site: Health['site']
  readonly version: string
  readonly chain: Pick<ChainReader, 'head' | 'runs' | 'run'>
  /** Number of the newest block that this node has taken in. */
  readonly taken: () => number
  readonly peers: () => number
  /** What stands in the way besides the chain, e.g. a node that halted. */
  readonly problems?: () => Health['problems']
}

/** Looks at the chain now; a chain that cannot be reached is told, not thrown. Runs that ended are left out. */
export async function readHealth({ site, version, chain, taken, peers, problems }: HealthSources): Promise<Health> {
  const known = problems?.() ?? []
  try {
    const { number } = await chain.head()
    const live = (await chain.runs()).filter((run) => run.state === 'Active' || run.state === 'Paused')
    const runs = await Promise.all(live.map(async ({ run }) => runHealth(await chain.run(run))))
    return {
      ok: known.length === 0,
      site,
      version,
      chain: { head: number, lag: Math.max(0, number - taken()), reachable: true },
      peers: peers(),
      runs,
      problems: known,
    }
  } catch (error) {
    // Without its text: it names the endpoint, whose URL may hold a secret.
    const lost = { code: isRotaError(error) ? error.code : 'ROTA-5001', what: 'the chain does not answer' }
    return { ok: false, site, version, chain: { head: taken(), lag: 0, reachable: false }, peers: peers(), runs: [], problems: [...known, lost] }
  }
}

const runHealth = ({ run, study, state, round }: RunView): Health['runs'][number] => ({
  run,
  study,
  state,
  round: round.round,
  phase: round.phase,
  leader: round.rota[round.turn] ?? -1,
})

export interface MemberHealth {
  readonly site: number
  readonly name: string
  readonly reachable: boolean
  /** Null while it is not reachable, as all below. */
  readonly rttMs: number | null
  /** Its clock minus ours. */
  readonly clockOffsetMs: number | null
  readonly software: string | null
  readonly arithmetic: string | null
}
