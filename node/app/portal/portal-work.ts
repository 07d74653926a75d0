import type { AtSite } from '#app/site/at-site.ts'
import { RotaError } from '#base/errors.ts'
import type { Address } from '#base/ids.ts'
import type { Place } from '#patient/portal-api.ts'
import type { Clock, Log } from '#ports/host.ts'
import type { PortalWork } from '#web/portal/portal-parts.ts'
import type { ChainAnswers } from './chain-answers.ts'
import { provenRounds } from './proven-rounds.ts'
import type { Relay } from './relay.ts'
import { siteAnswers } from './site-answers.ts'

export interface PortalWorkParts {
  /** The hospital whose patients are answered; null: a relay alone. */
  readonly site: AtSite | null
  readonly network: Place['network']
  readonly answers: ChainAnswers
  readonly relay: Relay
  readonly account: Address
  /** Portals of other members, besides those that the terms name. */
  readonly others: readonly string[]
  readonly clock: Clock
  readonly log: Pick<Log, 'info' | 'warn'>
}

/** What a portal does, put together. */
export function portalWork({ site, network, answers, relay, account, others, clock, log }: PortalWorkParts): PortalWork {
  const own = site === null ? null : siteAnswers(site, clock)
  const atHospital = () => {
    if (site === null || own === null) throw new RotaError('ROTA-6507')
    return { site, own }
  }
  const proving = oneAtATime()
  const place = async (): Promise<Place> => {
    const programmes = await answers.programmes((await own?.names()) ?? [])
    return {
      network,
      site: site === null ? null : { id: site.own.id, name: site.own.name },
      relay: account,
      programmes,
      portals: [...new Set([...programmes.flatMap(({ terms }) => terms?.portals ?? []), ...others])],
      time: Math.floor(clock.nowMs() / 1000),
    }
  }
  return {
    place,
    async take(withdrawal) {
      const { programme, tag } = withdrawal
      // The hospital's own stop comes first: it needs no chain, and no relay's word.
      if (await own?.stopNow(programme, tag)) log.info('portal.stopped')
      return relay.take(withdrawal)
    },
    withdrawal: (programme, tag) => relay.state(programme, tag),
    withdrawn: answers.withdrawn,
    withdrawnUntil: answers.withdrawnUntil,
    block: answers.block,
    records: answers.records,
    record: answers.record,
    async proofs({ programme, tag }, page) {
      const { site: hospital, own: of } = atHospital()
      const known = await of.known(programme, tag)
      return { record: await of.record(known, tag), ...(await proving(() => provenRounds(hospital, known.programme, tag, page))) }
    },
    async again(request, next) {
      const { own: of } = atHospital()
      return of.again(request, await answers.onChain(request.programme, request.tag), next)
    },
  }
}

/** Proofs of large cohorts take memory: those of one patient are made before those of the next. */
function oneAtATime(): <T>(work: () => Promise<T>) => Promise<T> {
  let turn: Promise<unknown> = Promise.resolve()
  return (work) => {
    const done = turn.then(work, work)
    turn = done.catch(() => undefined)
    return done
  }
}
