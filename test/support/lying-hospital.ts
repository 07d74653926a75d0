import type { Lie } from '#adapters/sim/faults.ts'
import { speaking, type Voice } from '#adapters/sim/lies.ts'
import { type Hospital, openHospital as openHonest } from '#round/hospital.ts'
import type { PlayHooks } from '#round/player.ts'
import type { Site } from '#round/site.ts'

const lies = new Set((new URL(import.meta.url).searchParams.get('lies') ?? '').split(',')) as ReadonlySet<Lie>

/** A real node with the simulator's liar between it and the world. Lies that need the simulator's time or chance are not told here. */
export function openHospital(site: Site, hooks: PlayHooks = {}): Promise<Hospital> {
  const voice = speaking(lies, site as unknown as Voice, {} as never)
  return openHonest({ ...site, chain: voice.chain, store: voice.store, gossip: voice.gossip }, hooks)
}
