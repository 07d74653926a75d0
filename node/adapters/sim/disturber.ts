import { bitmapOf } from '#base/bitmap.ts'
import type { SiteId } from '#base/ids.ts'
import type { JournalEntry } from '#ports/journal.ts'
import type { SimEvent } from './chain/ledger.ts'
import type { Disturbance, DisturbanceBody, Who } from './faults.ts'
import type { Acts, Hand, Powers } from './hand.ts'
import { peoplesActs } from './people.ts'
import type { SimRandom } from './random.ts'
import { reorganisations } from './reorganising.ts'
import type { SimSite } from './site.ts'
import { type EndpointState, UP } from './trouble.ts'
import type { SimWorld } from './world.ts'

/** Does what the plan says at its moments of the run, each once, unless it would leave too few sites out of trouble. */
export class Disturber implements Hand {
  readonly world: SimWorld
  readonly powers: Powers
  readonly random: SimRandom
  readonly #waiting: Set<Disturbance>
  #partitioned = false
  /** How often something was left out. */
  spared = 0

  constructor(world: SimWorld, powers: Powers, random: SimRandom) {
    this.world = world
    this.powers = powers
    this.random = random
    this.#waiting = new Set(world.faults.disturbances)
    if (this.#waiting.size > 0) world.chain.onEvent((event) => this.#heard(event))
  }

  #heard(event: SimEvent): void {
    if (event.kind !== 'RoundOpened' && event.kind !== 'PhaseBegan') return
    const phase = event.kind === 'RoundOpened' ? 'Contributing' : event.phase
    for (const disturbance of this.#waiting) {
      const { at, ...what } = disturbance
      if (at.round !== event.round || at.phase !== phase) continue
      this.#waiting.delete(disturbance)
      this.world.time.after(at.afterMs, () => this.#begin(what as DisturbanceBody))
    }
  }

  #begin(what: DisturbanceBody): void {
    const act = this.#acts[what.kind] as (what: DisturbanceBody) => void
    const { spared } = this
    act(what)
    if (this.spared === spared) this.world.strikes.count(what.kind)
  }

  readonly #acts: Acts = {
    ...peoplesActs(this),
    ...reorganisations(this),
    kill: ({ who, backAfterMs }) => this.at(who, 'killed', (site) => this.powers.kill(site, 'killed', backAfterMs)),
    restore: ({ who, backAfterMs }) =>
      this.at(who, 'restored from an old copy', (site) => this.powers.kill(site, 'restored from an old copy', backAfterMs, () => this.#putBack(site))),
    copy: ({ who }) => this.#copy(this.siteOf(who)),
    'lost-blocks': ({ who, share }) => this.#loseBlocks(this.siteOf(who), share),
    'disk-full': ({ who, lastsMs, filling = false }) => this.#fillDisk(who, lastsMs, filling ? 'diskFilling' : 'diskFull'),
    slow: ({ who, byMs, lastsMs }) => this.#slow(who, byMs, lastsMs),
    'clock-jump': ({ who, byMs }) => {
      const site = this.siteOf(who)
      site.trouble.offsetMs += byMs
      this.note(site, `its clock jumps ${byMs > 0 ? 'forward' : 'back'} by ${Math.abs(byMs) / 1_000} s`)
    },
    'endpoint-away': ({ who, lastsMs }) => this.#endpoint(who, { kind: 'away' }, 'its chain endpoint is away', lastsMs),
    'endpoint-behind': ({ who, byMs, lastsMs }) => this.#endpoint(who, { kind: 'behind', byMs }, `its chain endpoint is ${byMs} ms behind`, lastsMs),
    'endpoint-forgetful': ({ who, lastsMs }) => this.#endpoint(who, { kind: 'forgetful' }, 'its chain endpoint loses answers', lastsMs),
    partition: ({ group, chainToo, lastsMs }) => {
      if (!this.world.casualties.mayFall(group)) return this.spare(`a partition of sites ${group.join(', ')}`)
      this.#cut(group, chainToo, lastsMs)
    },
    'no-blocks': ({ lastsMs }) => {
      this.world.chain.stall(lastsMs)
      this.note(null, `the chain makes no blocks for ${seconds(lastsMs)}`)
      this.outage(lastsMs)
    },
    outage: ({ group, how, lastsMs }) => {
      this.note(null, `no majority for ${seconds(lastsMs)}: sites ${group.join(', ')} are ${how === 'down' ? 'down' : 'cut off'}`)
      this.outage(lastsMs)
      if (how === 'cut') this.#cut(group, true, lastsMs)
      else for (const id of group) if (this.world.site(id).alive) this.powers.kill(this.world.site(id), 'killed in the outage', lastsMs)
    },
  }

  siteOf(who: Who): SimSite {
    if (typeof who === 'number') return this.world.site(who)
    const round = this.world.chain.contracts.coordinator.runs.at(-1)?.round
    const place = (round?.turn ?? 0) + (round?.firstPlace ?? 0) + (who === 'leader' ? 0 : 1)
    return this.world.site(round?.rota[place % round.rota.length] ?? 0)
  }

  at(who: Who, why: string, act: (site: SimSite) => void): void {
    const site = this.siteOf(who)
    if (!site.alive) this.spared += 1
    else if (this.world.casualties.mayFall([site.id])) act(site)
    else this.spare(`site ${site.id} (${why})`)
  }

  spare(what: string): void {
    this.spared += 1
    this.note(null, `spared, for too many are in trouble: ${what}`)
  }

  note(site: SimSite | null, what: string): void {
    this.world.note(site?.id ?? null, what)
  }

  outage(lastsMs: number): void {
    const { time, outages } = this.world
    outages.push({ fromMs: time.nowMs, toMs: time.nowMs + lastsMs })
  }

  lasts(site: SimSite, why: string, lastsMs: number, end: () => void): void {
    const over = this.world.casualties.fall(site.id, why)
    this.note(site, `${why}, for ${seconds(lastsMs)}`)
    this.world.time.after(lastsMs, () => {
      end()
      over()
      this.note(site, `over: ${why}`)
    })
  }

  #fillDisk(who: Who, lastsMs: number, how: 'diskFull' | 'diskFilling'): void {
    this.at(who, 'full disk', (site) => {
      site.trouble[how] = true
      this.lasts(site, how === 'diskFull' ? 'its disk is full' : 'its disk is too full for new work', lastsMs, () => {
        site.trouble[how] = false
      })
    })
  }

  #slow(who: Who, byMs: number, lastsMs: number): void {
    this.at(who, 'slow', (site) => {
      site.trouble.slowMs = byMs
      this.lasts(site, `each of its steps takes ${byMs} ms more`, lastsMs, () => {
        site.trouble.slowMs = 0
      })
    })
  }

  #endpoint(who: Who, state: EndpointState, why: string, lastsMs: number): void {
    this.at(who, why, (site) => this.#troubleEndpoint(site, state, why, lastsMs))
  }

  #troubleEndpoint(site: SimSite, state: EndpointState, why: string, lastsMs: number): void {
    site.trouble.endpoint = state
    this.lasts(site, why, lastsMs, () => {
      if (site.trouble.endpoint === state) site.trouble.endpoint = UP
      site.trouble.wake()
    })
  }

  #cut(group: readonly SiteId[], chainToo: boolean, lastsMs: number): void {
    if (this.#partitioned) {
      this.spare('a second partition')
      return
    }
    this.#partitioned = true
    this.world.network.partition(bitmapOf(group))
    for (const id of group) {
      const site = this.world.site(id)
      if (chainToo) this.#troubleEndpoint(site, { kind: 'away' }, 'it is cut off, from the chain too', lastsMs)
      else this.lasts(site, 'it is cut off from the others, not from the chain', lastsMs, () => undefined)
    }
    this.world.time.after(lastsMs, () => {
      this.#partitioned = false
      this.world.network.partition(null)
      this.note(null, 'the partition heals')
    })
  }

  #copy(site: SimSite): void {
    site.copy = { journal: [...site.journal], objects: new Set(this.world.disks.heldBy(site.id)) }
    this.note(site, 'its data folder is copied')
  }

  #putBack(site: SimSite): void {
    const { journal, objects } = site.copy ?? { journal: [] as readonly JournalEntry[], objects: new Set() }
    const lost = site.journal.length - journal.length
    site.journal.splice(0, site.journal.length, ...journal)
    for (const cid of this.world.disks.heldBy(site.id)) if (!objects.has(cid)) this.world.disks.drop(cid, site.id)
    site.restoredAtMs.push(this.world.time.nowMs)
    this.note(site, `its data folder is an old copy: ${Math.max(0, lost)} journal entries are gone`)
  }

  /** While the run goes on: nobody reads what it leaves behind before the site starts again. */
  #loseBlocks(site: SimSite, share: number): void {
    if (this.world.chain.contracts.coordinator.runs.at(-1)?.state === 'Finished') return
    let lost = 0
    for (const cid of this.world.disks.heldBy(site.id)) {
      if (!this.random.chance(share)) continue
      this.world.disks.drop(cid, site.id)
      lost += 1
    }
    this.note(site, `${lost} objects in its store cannot be read any more`)
  }
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`
