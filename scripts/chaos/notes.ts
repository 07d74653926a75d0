import type { SimEvent } from '#adapters/sim/chain/ledger.ts'
import { piecesOf } from '#adapters/sim/sealed-tree.ts'
import type { SimWorld } from '#adapters/sim/world.ts'
import { sitesOf } from '#base/bitmap.ts'
import type { Digest, SiteId } from '#base/ids.ts'
import type { ChainEvent } from '#ports/chain.ts'
import type { Progress } from '#round/progress.ts'
import type { ReleaseMessage } from '#wire/masking/release.ts'
import { decodeMessage, wordsApart } from '#wire/message.ts'
import { eventText } from './chain-text.ts'
import type { Entry, RunRecord } from './record.ts'

/** What is seen of a run while it is played. */
export class Notes {
  readonly timeline: Entry[] = []
  readonly said: { atMs: number; event: ChainEvent }[] = []
  readonly vectors = new Map<Digest, Uint8Array>()
  readonly unheld: RunRecord['unheld'][number][] = []
  readonly shown: RunRecord['shown'][number][] = []
  readonly #isHonest: (site: SiteId) => boolean
  readonly #objects = new HeldObjects()
  #world: SimWorld | null = null

  constructor(isHonest: (site: SiteId) => boolean) {
    this.#isHonest = isHonest
  }

  watch(world: SimWorld): void {
    this.#world = world
    world.onNote = (site, what) => this.add(site, 'fault', what)
    world.disks.onPut = (kind, root, plaintext) => {
      // A copy: nodes give the memory of large vectors back as soon as they can.
      if (kind === 'update') this.vectors.set(root, plaintext.slice())
    }
    world.disks.onKeep = (cid, bytes, site) => this.#objects.keep(cid, bytes, site)
    world.chain.onEvent((event) => this.#heard(event, world.time.nowMs))
    world.network.onSend = (message, site) => this.#sent(message, site, world.time.nowMs)
  }

  #sent(message: Uint8Array, site: SiteId, atMs: number): void {
    for (const { run, round, release } of releasesIn(message)) this.shown.push({ atMs, site, run, round, survivors: release.survivors, about: release.about })
  }

  add(site: SiteId | null, kind: Entry['kind'], text: string, round: number | null = null): void {
    this.timeline.push({ atMs: this.#world?.time.nowMs ?? 0, site, kind, text, round })
  }

  /** What a site tells its operators. */
  tell(site: SiteId, progress: Progress): void {
    const told = (text: string): void => this.add(site, 'told', text, 'round' in progress ? progress.round : null)
    if (progress.kind === 'wrong-sum') told(`finds the sum of site ${progress.publisher} wrong`)
    if (progress.kind === 'abstained') told(`abstains: ${progress.reason}`)
    if (progress.kind === 'false-shares') told(`finds the shares of site ${progress.sites.join(', ')} false`)
    if (progress.kind === 'wrong-shares') told(`was shown wrong shares by site ${progress.sites.join(', ')}`)
    if (progress.kind === 'cannot-unmask') told(`cannot unmask: ${progress.code} ${progress.message}`)
    if (progress.kind === 'stays-masked') told(`hears nothing of site ${progress.sites.join(', ')}, and the sum stays masked`)
    if (progress.kind === 'trouble') told(`has trouble: ${progress.code} ${progress.message}`)
  }

  #heard(event: SimEvent, atMs: number): void {
    this.said.push({ atMs, event: event as ChainEvent })
    if (event.kind === 'Contributed') this.#objects.name(event.round, event.site, event.cid)
    if (event.kind === 'Witnessed' && this.#isHonest(event.site))
      for (const update of sitesOf(event.held))
        if (!this.#objects.wasHeld(event.round, update, event.slice, event.site))
          this.unheld.push({ round: event.round, slice: event.slice, witness: event.site, update })
    const text = eventText(event)
    if (text !== null)
      this.timeline.push({ atMs, site: 'site' in event ? event.site : null, kind: 'chain', text, round: 'round' in event ? event.round : null })
  }
}

function releasesIn(message: Uint8Array): readonly ReleaseMessage[] {
  try {
    return wordsApart(message).flatMap((word) => {
      const said = decodeMessage(word)
      return said.kind === 'release' ? [said] : []
    })
  } catch {
    // Spam.
    return []
  }
}

/** Which updates ever lay on which disks, slice by slice. */
class HeldObjects {
  readonly #holders = new Map<Digest, Set<SiteId>>()
  readonly #pieces = new Map<Digest, readonly (Digest | null)[]>()
  /** What a site committed in a round: more than one when the chain went back. */
  readonly #named = new Map<string, Set<Digest>>()

  keep(cid: Digest, bytes: Uint8Array, site: SiteId): void {
    const holders = this.#holders.get(cid) ?? new Set()
    if (holders.size === 0) {
      const pieces = piecesOf(bytes)
      if (pieces !== null) this.#pieces.set(cid, pieces)
    }
    this.#holders.set(cid, holders.add(site))
  }

  name(round: number, site: SiteId, cid: Digest): void {
    const place = `${round}/${site}`
    this.#named.set(place, (this.#named.get(place) ?? new Set()).add(cid))
  }

  wasHeld(round: number, update: SiteId, slice: number, witness: SiteId): boolean {
    const has = (cid: Digest | null): boolean => cid === null || (this.#holders.get(cid)?.has(witness) ?? false)
    return [...(this.#named.get(`${round}/${update}`) ?? [])].some((cid) => has(cid) && has(this.#pieces.get(cid)?.[slice] ?? null))
  }
}
