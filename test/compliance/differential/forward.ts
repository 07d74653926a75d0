import { digestOf, sha256 } from '#adapters/sim/hash.ts'
import { has, sitesOf } from '#base/bitmap.ts'
import { toHex } from '#base/bytes.ts'
import { type Bitmap, type Digest, type SiteId, ZERO_DIGEST } from '#base/ids.ts'
import { HIDDEN_BYTES, heldDealsOf, NAME_BYTES, nameOfDeal } from '#core/masking/held-deals.ts'
import { ATTEST_STATUSES, type AttestStatus, PHASES, type RoundView, type RunView } from '#ports/chain.ts'
import type { Act } from './act.ts'
import type { Scene } from './scene.ts'
import { publishedRoot, updateRoot } from './vectors.ts'

/** A step that the run waits for, as a site might make it. */
export function forward(scene: Scene): Act {
  const view = scene.run()
  if (view.state === 'Paused') return call(scene, anyOf(scene, scene.study().approved), 'ready', [view.run])
  if (view.state !== 'Active') return openRun(scene)
  switch (view.round.phase) {
    case 'Keying':
      return key(scene, view)
    case 'Contributing':
      return contribute(scene, view)
    case 'Witnessing':
      return witness(scene, view)
    case 'Publishing':
      return publish(scene, view)
    default:
      return attest(scene, view)
  }
}

export const openRun = (scene: Scene): Act =>
  call(scene, anyOf(scene, scene.study().approved), 'openRun', [scene.study().id, scene.digest('model'), scene.digest('cid')])

export function call(scene: Scene, site: SiteId, method: string, args: readonly unknown[]): Act {
  return { sender: scene.node(site), contract: 'RoundCoordinator', method, args }
}

const anyOf = (scene: Scene, set: Bitmap): SiteId => (set === 0n ? scene.anySite().id : scene.random.pick(sitesOf(set)))

function key(scene: Scene, { run, round }: RunView): Act {
  const { random, deals } = scene
  const awaited = scene.apart.chance(0.8) ? round.rota.filter((site) => has(round.awaited, site)) : round.rota
  const missing = awaited.filter((site) => !has(round.keyed, site) && !has(round.abstained, site))
  const late = missing.length > 0 && deals.chance(0.5)
  if (round.justifying && !late) return justify(scene, run, round)
  const site = missing.length === 0 ? scene.anySite().id : random.pick(missing)
  if (random.chance(0.05)) return call(scene, site, 'abstain', [run, round.round, random.int(0, 6)])
  const rota = round.rota.reduce((set, member) => set | (1n << BigInt(member)), 0n) as Bitmap
  const some = random.chance(0.7) ? rota : someOf(scene, rota)
  const wrong = scene.dealsDiffer(`${run}/${round.round}`) && deals.chance(0.3)
  const holds = (wrong ? some : rota) & ~(1n << BigInt(site))
  const { digest, cid } = dealOf(run, round.round, site)
  return call(scene, site, 'key', [run, round.round, digest, cid, holds, heldDeals(scene, run, round.round, site, holds, wrong)])
}

/** Who keyed and is still waited for, or at times anybody, shows what it dealt. */
export function justify(
  scene: Scene,
  run: RunView['run'],
  round: Pick<RoundView, 'round' | 'keyed' | 'justified' | 'abstained' | 'openedAtBlock' | 'since'>,
): Act {
  const { deals } = scene
  const missing = sitesOf(round.keyed).filter((site) => !has(round.justified, site) && !has(round.abstained, site))
  const site = missing.length === 0 || deals.chance(0.2) ? deals.pick(scene.sites).id : deals.pick(missing)
  if (deals.chance(0.05)) return call(scene, site, 'abstain', [run, round.round, deals.int(0, 6)])
  const [began, opened] = [hashOf(scene, round.since.block), hashOf(scene, round.openedAtBlock)]
  const known = deals.chance(0.85) ? began : deals.pick([ZERO_DIGEST, digestOf('another limit'), opened])
  const justification = deals.chance(0.02) ? TOO_LONG : toHex(deals.bytes(deals.pick([0, 0, 1, 32, 100])))
  return call(scene, site, 'justify', [run, round.round, known, justification])
}

const TOO_LONG = `0x${'5a'.repeat(115_201)}`

/** What a site keys with, as the others know it before. */
export const dealOf = (run: number, round: number, site: SiteId) => ({
  digest: digestOf('deal', run, round, site),
  cid: digestOf('deal cid', run, round, site),
})

/**
 * What it says of the deals that it holds: a name of each, and a hidden secret of those below it; or else a byte, a name or a secret too few or too many.
 * @param wrong of one it says another name
 */
export function heldDeals(scene: Scene, run: number, round: number, site: SiteId, holds: bigint, wrong = false): string {
  const { deals } = scene
  const other = wrong ? deals.pick(scene.sites).id : null
  const nameOf = (dealer: SiteId) => {
    const { digest, cid } = dealOf(run, round, dealer)
    return nameOfDeal({ dealDigest: digest, dealCid: dealer === other ? digest : cid }, sha256)
  }
  const right = heldDealsOf(holds as Bitmap, (dealer) => ({
    name: nameOf(dealer),
    hidden: dealer < site ? toHex(deals.bytes(HIDDEN_BYTES)).slice(2) : null,
  }))
  if (!deals.chance(0.02)) return right
  const [name, hidden] = [2 * NAME_BYTES, 2 * HIDDEN_BYTES]
  const longer = ['00', 'ab'.repeat(NAME_BYTES), 'cd'.repeat(HIDDEN_BYTES)].map((more) => right + more)
  const shorter = [2, name, hidden].filter((less) => right.length > less + 1).map((less) => right.slice(0, -less))
  return deals.pick([...longer, ...shorter])
}

function contribute(scene: Scene, { run, round }: RunView): Act {
  const missing = round.rota.filter((site) => !has(round.contributed, site) && !has(round.abstained, site))
  const site = missing.length === 0 ? scene.anySite().id : scene.random.pick(missing)
  if (scene.random.chance(0.1)) return call(scene, site, 'abstain', [run, round.round, scene.random.int(0, 6)])
  if (scene.random.chance(0.06)) return call(scene, site, 'extend', [run, round.round])
  const owes = stateOf(scene, run).accounted && scene.sim.chain.contracts.privacy.lastCharged(run, site) !== round.round
  if (owes && scene.apart.chance(0.95)) return charge(scene, site, run, round.round)
  return call(scene, site, 'contribute', [
    run,
    round.round,
    isMasked(scene, run) ? updateRoot(run, round.round, site) : scene.digest('update'),
    scene.digest('cid'),
    scene.digest('cohort'),
    openingOf(scene, run, round),
  ])
}

/** Of the block in which the round opened, of a masked study in which the phase began; at times it is not said, or another. Drawn apart, as it was added later. */
function openingOf(scene: Scene, run: RunView['run'], { openedAtBlock, since }: Pick<RoundView, 'openedAtBlock' | 'since'>): Digest {
  const [opened, began] = [hashOf(scene, openedAtBlock), hashOf(scene, since.block)]
  const [right, wrong] = isMasked(scene, run) ? [began, opened] : [opened, began]
  return scene.apart.pick([right, right, right, right, right, right, ZERO_DIGEST, ZERO_DIGEST, digestOf('another opening'), wrong])
}

/** As the simulator has it; see `Scene.blocks`. */
function hashOf({ sim, blocks }: Scene, block: number): Digest {
  const hash = sim.chain.ledger.hashOf(block)
  blocks.set(hash, block)
  return hash
}

/** One of the site's two datasets. */
export const charge = (scene: Scene, site: SiteId, run: number, round: number): Act => ({
  ...call(scene, site, 'charge', [run, round, digestOf('dataset', scene.apart.int(1, 2))]),
  contract: 'PrivacyLedger',
})

const isMasked = (scene: Scene, run: RunView['run']): boolean => stateOf(scene, run).rules.mode === 'masked'

const stateOf = (scene: Scene, run: RunView['run']) => scene.sim.chain.contracts.coordinator.run(run)

function witness(scene: Scene, { run, round }: RunView): Act {
  const { random } = scene
  const slice = random.int(0, round.witnessed.length - 1)
  const places = Array.from({ length: round.custodianPlaces[slice] as number }, (_, i) => round.rota[(round.turn + slice + i) % round.rota.length] as SiteId)
  const silent = places.filter((site) => !has(round.witnessed[slice] as Bitmap, site))
  const site = silent.length === 0 ? scene.anySite().id : random.pick(silent)
  const held = random.chance(0.7) ? round.contributed : someOf(scene, round.contributed)
  return call(scene, site, 'witness', [run, round.round, slice, held])
}

const someOf = (scene: Scene, set: Bitmap): bigint => sitesOf(set).reduce((some, site) => (scene.random.chance(0.6) ? some | (1n << BigInt(site)) : some), 0n)

/** By a place whose time has come, or at times by the one after it. */
function publish(scene: Scene, { run, study, round }: RunView): Act {
  const { random, sim } = scene
  const limit = sim.chain.study(study).rules.limits[PHASES.indexOf('Publishing')] as { seconds: number; blocks: number }
  const head = sim.chain.head()
  const thirds = (of: number, passed: number) => Math.floor((3 * (passed + 1)) / of)
  const open = Math.min(thirds(limit.seconds, head.timestamp - round.since.timestamp), thirds(limit.blocks, head.number - round.since.block))
  const ahead = random.int(0, open) + (random.chance(0.1) ? 1 : 0)
  const site = round.rota[(round.turn + Math.min(round.firstPlace + ahead, round.rota.length - 1)) % round.rota.length] as SiteId
  const sum = isMasked(scene, run) ? publishedRoot(scene, run, stateOf(scene, run).round) : scene.digest('sum')
  return call(scene, site, 'publish', [run, round.round, round.attempt, sum, scene.digest('cid')])
}

function attest(scene: Scene, { run, round }: RunView): Act {
  const missing = sitesOf(round.included).filter((site) => !has(round.attested, site))
  const site = missing.length === 0 ? scene.anySite().id : scene.random.pick(missing)
  return call(scene, site, 'attest', attestation(scene, run, round, round.attempt))
}

export function attestation(scene: Scene, run: RunView['run'], round: Pick<RoundView, 'round'>, attempt: number): readonly unknown[] {
  const { random } = scene
  const verdict = scene.verdict(`${run}/${round.round}/${attempt}`)
  const mixed = {
    split: ATTEST_STATUSES,
    torn: ['continue', 'refused', 'refused'] as const,
    refused: ['refused'] as const,
    wrongSum: ['wrongSum'] as const,
    continue: ['continue'] as const,
    finished: ['finished'] as const,
  }
  const status: AttestStatus = random.pick(mixed[verdict])
  const model = verdict === 'split' || verdict === 'torn' ? random.int(1, 2) : 1
  const name = (what: string) => (status === 'wrongSum' ? ZERO_DIGEST : digestFor(what, run, round.round, attempt, status, model))
  return [run, round.round, attempt, name('root'), name('cid'), ATTEST_STATUSES.indexOf(status), scene.digest('own')]
}

const digestFor = (...words: readonly (string | number)[]) => `0x${Buffer.from(words.join('/').padEnd(32, '.')).toString('hex').slice(0, 64)}`
