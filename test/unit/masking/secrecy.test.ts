import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { nodeMasking } from '#adapters/masking/node-masking.ts'
import { bitmapOf, has, sitesOf, sizeOf } from '#base/bitmap.ts'
import { toHex } from '#base/bytes.ts'
import { type Bitmap, digest, type SiteId } from '#base/ids.ts'
import { labelled } from '#core/masking/context.ts'
import type { MaskingCrypto } from '#core/masking/crypto.ts'
import { checkSurvivors, type MaskGraph, maskGraph } from '#core/masking/graph.ts'
import { hidePair, showPair } from '#core/masking/held-deals.ts'
import { signOf } from '#core/masking/mask.ts'
import { pairKey, pairPad, selfKey, xor } from '#core/masking/pair-key.ts'
import { toRelease } from '#core/masking/release.ts'
import { thresholdOf, toleratedOf } from '#core/masking/threshold.ts'
import { Seeded } from '#core/model/seeded.ts'
import {
  below,
  holding,
  type Keyed,
  keyedAs,
  keyIn,
  makeParty,
  maskOf,
  openFrom,
  type Party,
  plainSum,
  releasesOf,
  showing,
  sitesFrom,
  some,
  termsOf,
  unmaskedSum,
} from '../../support/masked-party.ts'
import { chiSquareDeviation } from './noise.ts'

// given members who see all that is public, and some who put together all that they have
// ├── what they have, and all that is said on the chain, is the same for every input of the others that has the same sum
// │   └── and for any input of a site that dropped out after its vector was out, whose masks with others are known then
// ├── they lack a share of each secret of the others, those that dealers showed to all among what they have, and without it any value fits
// └── the mask graph of the others is in one piece, however many sites (within the bound) collude or drop out
// given a masked vector
// ├── its bytes pass a chi-square test for noise, also where the plain one is all zeros
// └── sites that were sent different base models add up to noise, and do not open each other's deals

const WORDS = 40

interface Setting {
  readonly keyed: Keyed
  readonly survivors: Bitmap
  /** Of all who keyed: also who has no place in the graph, or dropped out, has shares. */
  readonly colluders: Bitmap
  /** Honest sites of the frozen set. */
  readonly honest: readonly SiteId[]
  /** Honest sites that dropped out: their vectors were out before. */
  readonly gone: readonly SiteId[]
}

/** As many collude or drop out as are borne together. @param loss of deals, a pair; with none fewer than the threshold are borne */
function drawSetting(party: Party, loss: number, random: Seeded): Setting | null {
  const all = [...party.members.keys()]
  const { threshold } = party.round
  const lost = new Set(all.flatMap((a) => all.filter((b) => a !== b && random.uniform() < loss).map((b) => `${a}>${b}`)))
  const keyed = keyIn(party, { keyed: all, isLost: (dealer, holder) => lost.has(`${dealer}>${holder}`) })
  const sites = sitesOf(keyed.graph.sites)
  const faulty = some(all, lost.size === 0 ? Math.min(threshold - 1, all.length - 2) : toleratedOf(threshold, all.length), random)
  const leaving = faulty.filter((site) => sites.includes(site))
  const dropped = some(leaving, below(random, Math.min(leaving.length, sites.length - threshold) + 1), random)
  const gone = dropped.filter(() => random.uniform() < 0.5)
  const bad = faulty.filter((site) => !gone.includes(site))
  const survivors = bitmapOf(sites.filter((site) => !dropped.includes(site)))
  const colluders = bitmapOf(bad)
  try {
    checkSurvivors(keyed.graph, party.round, survivors)
  } catch {
    return null
  }
  return { keyed, survivors, colluders, gone, honest: sites.filter((site) => !faulty.includes(site)) }
}

/** The masks between honest sites that stay, and those that hide each one that is gone alone, by their key: to those without the key, any numbers. */
type Unknown = ReadonlyMap<string, Int32Array>

function pairName({ party }: Keyed, a: SiteId, b: SiteId): string {
  const { agreed, pairSecret } = party.members.get(a)!.opened.get(b)!
  return toHex(pairKey(party.round, a, b, agreed!, pairSecret!, nodeMasking))
}

const selfName = ({ party: { round, members } }: Keyed, site: SiteId): string => toHex(selfKey(round, site, members.get(site)!.keys.seeds.self, nodeMasking))

function drawUnknown({ keyed, honest, gone }: Setting, random: Seeded): Map<string, Int32Array> {
  const table = new Map(gone.map((site) => [selfName(keyed, site), new Int32Array(random.bytes(4 * WORDS).buffer)]))
  for (const a of honest)
    for (const b of honest) if (a < b && has(keyed.graph.neighbours(a), b)) table.set(pairName(keyed, a, b), new Int32Array(random.bytes(4 * WORDS).buffer))
  return table
}

const withUnknown = (unknown: Unknown): MaskingCrypto => ({
  ...nodeMasking,
  keystream: (key, block, length) => {
    const known = unknown.get(toHex(key))
    return known === undefined ? nodeMasking.keystream(key, block, length) : new Uint8Array(known.slice().buffer)
  },
})

/** Inputs of the honest sites that differ in all but their sum, and the masks that make the same words of them: along a tree that joins them. Who is gone is in no sum. */
function otherWorld(setting: Setting, inputs: ReadonlyMap<SiteId, Int32Array>, unknown: Unknown, random: Seeded) {
  const { keyed, honest, gone } = setting
  const others = new Map(honest.map((site) => [site, new Int32Array(random.bytes(4 * WORDS).buffer)]))
  const total = (of: ReadonlyMap<SiteId, Int32Array>, i: number) => honest.reduce((sum, site) => (sum + of.get(site)![i]!) | 0, 0)
  const root = honest[0]!
  others.set(
    root,
    others.get(root)!.map((x, i) => x + total(inputs, i) - total(others, i)),
  )
  const masks = new Map(unknown)
  const lead = new Map(honest.map((site) => [site, others.get(site)!.map((x, i) => x - inputs.get(site)![i]!)]))
  for (const [child, parent] of treeOf(keyed.graph, honest).reverse()) {
    const name = pairName(keyed, child, parent)
    masks.set(
      name,
      masks.get(name)!.map((mask, i) => mask - signOf(child, parent) * lead.get(child)![i]!),
    )
    lead.set(
      parent,
      lead.get(parent)!.map((x, i) => x + lead.get(child)![i]!),
    )
  }
  for (const site of gone) {
    const name = selfName(keyed, site)
    others.set(site, new Int32Array(random.bytes(4 * WORDS).buffer))
    masks.set(
      name,
      masks.get(name)!.map((mask, i) => mask + inputs.get(site)![i]! - others.get(site)![i]!),
    )
  }
  const there = otherSecrets(setting, random)
  const renamed = (name: string): string => there.names.get(name) ?? name
  return { ...there, inputs: others, masks: new Map([...masks].map(([name, mask]) => [renamed(name), mask])) }
}

/** Honest pairs have other secrets, and the upper of each hides it with another pad: to those without its mask seed, any numbers. */
function otherSecrets(
  { keyed, honest }: Setting,
  random: Seeded,
): { readonly keyed: Keyed; readonly names: ReadonlyMap<string, string>; readonly crypto: MaskingCrypto } {
  const { round, members } = keyed.party
  const opened = new Map([...members].map(([site, member]) => [site, new Map(member.opened)]))
  const party = { round, members: new Map([...members].map(([site, member]) => [site, { ...member, opened: opened.get(site)! }])) }
  const pads = new Map<string, Uint8Array>()
  const names = honestPairs(keyed, honest).map(([lower, upper]): [string, string] => {
    const before = pairName(keyed, lower, upper)
    const [secret, { mask }] = [random.bytes(32), members.get(upper)!.keys.seeds]
    const pad = pairPad(round, lower, upper, mask, nodeMasking)
    pads.set(padName(mask, labelled('pair pad', lower, upper)), xor(xor(pad, opened.get(upper)!.get(lower)!.pairSecret!), secret))
    for (const [one, other] of [
      [lower, upper],
      [upper, lower],
    ] as const)
      opened.get(one)!.set(other, { ...opened.get(one)!.get(other)!, pairSecret: secret })
    return [before, pairName({ ...keyed, party }, lower, upper)]
  })
  const crypto: MaskingCrypto = {
    ...nodeMasking,
    hkdf: (secret, salt, info, length) => pads.get(padName(secret, info)) ?? nodeMasking.hkdf(secret, salt, info, length),
  }
  // As each of them would say it there.
  const events = keyed.events.map((said) =>
    holding(said, (held, lower) => {
      const { pairSecret } = opened.get(said.site)!.get(lower)!
      return lower < said.site ? { ...held, hidden: hidePair(round, lower, said.site, pairSecret!, members.get(said.site)!.keys.seeds.mask, crypto) } : held
    }),
  )
  return { keyed: { ...keyed, party, events }, names: new Map(names), crypto }
}

const padName = (seed: Uint8Array, info: Uint8Array): string => `${toHex(seed)} ${toHex(info)}`

/** Those that share masks, the lower first. */
const honestPairs = ({ graph }: Keyed, honest: readonly SiteId[]) =>
  honest.flatMap((lower) => honest.filter((upper) => lower < upper && has(graph.neighbours(lower), upper)).map((upper) => [lower, upper] as const))

/** [child, parent], parents first. */
function treeOf(graph: MaskGraph, sites: readonly SiteId[]): [SiteId, SiteId][] {
  const reached = [sites[0]!]
  const edges: [SiteId, SiteId][] = []
  for (const parent of reached)
    for (const child of sites) {
      if (reached.includes(child) || !has(graph.neighbours(parent), child)) continue
      reached.push(child)
      edges.push([child, parent])
    }
  return edges
}

const isOnePiece = (graph: MaskGraph, sites: readonly SiteId[]): boolean => sites.length === 0 || treeOf(graph, sites).length === sites.length - 1
const bytesOf = (words: Int32Array): Uint8Array => new Uint8Array(words.slice().buffer)

describe('what colluding members can learn', () => {
  const settings: Setting[] = []
  before(async () => {
    const random = new Seeded(77)
    for (const n of [5, 8, 9]) {
      const party = await makeParty(sitesFrom(n), random)
      for (const [loss, many] of [
        [0.07, 50],
        [0, 15],
      ] as const) {
        const drawn: Setting[] = []
        while (drawn.length < many) drawn.push(...[drawSetting(party, loss, random)].filter((setting) => setting !== null))
        settings.push(...drawn)
      }
    }
  })

  it('is the same for any input of the others with the same sum', async () => {
    const random = new Seeded(1)
    for (const setting of settings) {
      const { keyed, survivors, honest, gone } = setting
      assert.ok(honest.length >= 2)
      const inputs = new Map([...sitesOf(survivors), ...gone].map((site) => [site, new Int32Array(random.bytes(4 * WORDS).buffer)]))
      const unknown = drawUnknown(setting, random)
      const other = otherWorld(setting, inputs, unknown, random)
      const view = (world: Keyed, of: ReadonlyMap<SiteId, Int32Array>, masks: Unknown) => ({
        words: new Map([...inputs.keys()].map((site) => [site, maskOf(world, site, bytesOf(of.get(site) ?? inputs.get(site)!), 32, withUnknown(masks))])),
        said: world.events,
        justified: world.said,
        shown: releasesOf(world, survivors, sitesOf(survivors)),
      })
      const [seen, seenThere] = [view(keyed, inputs, unknown), view(other.keyed, other.inputs, other.masks)]
      for (const site of [honest[1]!, ...gone]) assert.notDeepEqual(other.inputs.get(site), inputs.get(site))
      assert.deepEqual(seenThere, seen)
      assertOtherSecrets(setting, other)
    }
  })

  /** With the mask seed of the upper what it said shows the secret: in each world another. */
  function assertOtherSecrets({ keyed, honest }: Setting, there: { readonly keyed: Keyed; readonly crypto: MaskingCrypto }): void {
    const pairs = honestPairs(keyed, honest)
    assert.ok(pairs.length > 0)
    for (const [lower, upper] of pairs) {
      const [here, elsewhere] = [{ keyed, crypto: nodeMasking }, there].map(({ keyed: { party, events }, crypto }) => {
        const { keys, opened } = party.members.get(upper)!
        const said = events.find(({ site }) => site === upper)!
        const shown = showPair(party.round, lower, said, keys.seeds.mask, crypto)
        assert.deepEqual(shown, opened.get(lower)!.pairSecret)
        assert.ok(!said.heldDeals.includes(toHex(shown!).slice(2)))
        return shown
      })
      assert.notDeepEqual(here, elsewhere)
    }
  }

  it('lacks a share of every secret that hides the others, also where dealers showed some to all, and any secret fits what they have', async () => {
    let [shown, oneShort, hiddenAlone] = [0, 0, 0]
    for (const { keyed, survivors, colluders } of settings) {
      const { graph, party } = keyed
      const released = keyed.events.map((said) => ({ site: said.site, ...toRelease(graph, survivors, said.site) }))
      for (const site of sitesOf((graph.sites & ~colluders) as Bitmap)) {
        const hidden = has(survivors, site) ? 'mask' : 'self'
        const known = new Set(released.flatMap((of) => (has(colluders, of.site) || has(of[hidden], site) ? [of.site] : [])))
        const inPublic = [...graph.shown(site).keys()].filter((holder) => !known.has(holder))
        assert.ok(known.size + inPublic.length < party.round.threshold, `${known.size} and ${inPublic.length} shares of the ${hidden} seed of site ${site}`)
        if (hidden === 'self') hiddenAlone += 1
        if (inPublic.length > 0) shown += 1
        if (known.size + inPublic.length === party.round.threshold - 1) oneShort += 1
      }
    }
    assert.ok(shown > 60 && oneShort > 10, `of ${shown} some shares are public, of ${oneShort} one more would do`)
    assert.ok(hiddenAlone > 30, `${hiddenAlone} honest sites dropped out, and their own masks alone hide their vectors`)
    const shares = await nodeMasking.split(Uint8Array.of(42), 7, 5)
    const last = shares[4]!
    const fitting = await Promise.all(Array.from({ length: 256 }, (_, y) => nodeMasking.combine([...shares.slice(0, 4), Uint8Array.of(y, last[1]!)])))
    assert.equal(new Set(fitting.map((secret) => secret![0])).size, 256)
  })

  it('never parts the graph of the others, within the bound', () => {
    const random = new Seeded(9)
    for (let n = 5; n <= 60; n++) {
      const threshold = thresholdOf(n)
      assert.ok(toleratedOf(threshold, n) >= Math.floor(n / 3))
      for (let i = 0; i < 6; i++) {
        const graph = sparse(n, threshold, random)
        const left = some(sitesFrom(n), n - toleratedOf(threshold, n), random)
        assert.ok(isOnePiece(graph, left), `${n} sites, ${left.length} left`)
      }
    }
  })
})

/** As few masks as the rule allows, or nearly. */
function sparse(n: number, threshold: number, random: Seeded): MaskGraph {
  const sites = sitesFrom(n)
  const holds = sites.map((site) => new Set<number>(sites.filter((other) => other !== site)))
  const fewest = Math.min(threshold, n - 1)
  for (let tries = 3 * n * n; tries > 0; tries--) {
    const [a, b] = [below(random, n), below(random, n)]
    if (!holds[a]!.has(b) || holds[a]!.size <= fewest || holds[b]!.size <= fewest) continue
    holds[a]!.delete(b)
    holds[b]!.delete(a)
  }
  const round = { round: termsOf(bitmapOf(sites)).round, members: bitmapOf(sites), threshold, ctx: new Uint8Array(32) }
  const keyed = keyedAs(sites.map((site) => ({ site, holds: bitmapOf([...holds[site]!] as SiteId[]) })))
  const graph = maskGraph(round, keyed, nodeMasking.sha256, showing(sites, sites))
  assert.equal(sizeOf(graph.sites), n)
  assert.ok(sites.some((site) => sizeOf(graph.neighbours(site)) === fewest))
  return graph
}

describe('a masked vector', () => {
  const BYTES = 65_536
  const sites = sitesFrom(6)
  const isLost = (): boolean => false

  it('is noise, also where the plain one is zeros', async () => {
    const party = await makeParty(sites, new Seeded(4))
    const keyed = keyIn(party, { keyed: sites, isLost })
    assert.ok(Math.abs(chiSquareDeviation(new Uint8Array(BYTES))) > 100)
    for (const wordBits of [32, 64] as const)
      for (const site of sites) assert.ok(Math.abs(chiSquareDeviation(maskOf(keyed, site, new Uint8Array(BYTES), wordBits))) < 5)
  })

  it('of one base model does not cancel those of another, though shares were dealt before it was known', async () => {
    const terms = termsOf(bitmapOf(sites))
    const other = await makeParty(sites, new Seeded(4), { ...terms, baseRoot: digest(`0x${'99'.repeat(32)}`) })
    const party = await makeParty(sites, new Seeded(4))
    const [one, two] = [party.members.get(sites[0]!)!, other.members.get(sites[1]!)!]
    assert.deepEqual(openFrom(party.round, one.site, one.keys, two.offer, two.deal).shares.mask.length, 33)
    const [here, there] = [party, other].map((each) => keyIn(each, { keyed: sites, isLost })) as [Keyed, Keyed]
    const masked = new Map(sites.map((site) => [site, maskOf(site % 2 === 0 ? here : there, site, new Uint8Array(BYTES), 32)]))
    const { sum } = await unmaskedSum(here, masked, 32, sites)
    assert.ok(Math.abs(chiSquareDeviation(sum)) < 5)
    const same = new Map(sites.map((site) => [site, maskOf(here, site, new Uint8Array(BYTES), 32)]))
    assert.deepEqual((await unmaskedSum(here, same, 32, sites)).sum, plainSum([new Uint8Array(BYTES)], 32).bytes)
  })
})
