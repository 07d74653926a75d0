/**
 * What masking takes of one site's processor; one JSON line. A process of its own, so that nothing else is in its figures.
 *   node scripts/bench/masking.ts SITES DROPPED WORDS REPEATS
 */
import process from 'node:process'
import { systemRandom } from '#adapters/host/system-host.ts'
import { nodeMasking } from '#adapters/masking/node-masking.ts'
import { bitmapOf } from '#base/bitmap.ts'
import { type SiteId, siteId } from '#base/ids.ts'
import { checkAdvertisement } from '#core/masking/advertisement.ts'
import { makeDeal } from '#core/masking/deal.ts'
import { mask, streamsOf } from '#core/masking/mask.ts'
import { rebuildSeeds } from '#core/masking/rebuild.ts'
import { checkRelease, makeRelease } from '#core/masking/release.ts'
import { roundKeys } from '#core/masking/round-keys.ts'
import { streamsToRemove } from '#core/masking/unmask.ts'
import { addStreams } from '#core/masking/words.ts'
import { Seeded } from '#core/model/seeded.ts'
import { digestOf, keyIn, makeParty, openFrom, releasesOf, sitesFrom, unmaskInput } from '../../test/support/masked-party.ts'

const [count, dropped, words, repeats] = process.argv.slice(2).map(Number) as [number, number, number, number]
const sites = sitesFrom(count)
const site = siteId(Math.floor(count / 2))
const survivors = sites.filter((each) => each !== site).slice(0, count - 1 - dropped)
const frozen = bitmapOf([...survivors, site])
const answering = [...survivors, site] as readonly SiteId[]

const party = await makeParty(sites, new Seeded(1))
const keyed = keyIn(party, { keyed: sites, isLost: () => false })
const own = party.members.get(site) as NonNullable<ReturnType<typeof party.members.get>>
const offers = new Map([...party.members].map(([each, { offer }]) => [each, offer]))
const { round } = party

/** User and system together, of all threads: waiting for others is not in it. */
async function cpuSeconds(work: () => unknown): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
}

/** Own keys and shares, and everybody else's looked at: all of Keying. */
async function makeAndCheckShares(): Promise<void> {
  const keys = roundKeys(own.keys.seeds, nodeMasking)
  for (const [each, offer] of offers) if (each !== site) checkAdvertisement(offer, each, new Set(), keys, nodeMasking)
  const deal = await makeDeal({ round, site, keys, offers, parcelDigest: digestOf, crypto: nodeMasking })
  const opened = new Map([...party.members].map(([dealer, from]) => [dealer, openFrom(round, site, keys, from.offer, dealer === site ? deal : from.deal)]))
  if (opened.size < party.members.size) throw new Error('a deal was not opened')
}

const vector = systemRandom.bytes(4 * words)
const maskVector = (): void => void mask({ ring: true, wordBits: 32, bytes: vector }, streamsOf(round, keyed.graph, own, nodeMasking), nodeMasking.keystream)

const releases = releasesOf(keyed, frozen, answering)
async function unmask(): Promise<void> {
  const release = makeRelease(round, keyed.graph, frozen, own)
  for (const each of answering) checkRelease(releases.get(each) ?? release, round, keyed.graph, frozen, each)
  const input = unmaskInput(keyed, frozen, releases)
  const streams = streamsToRemove(input, await rebuildSeeds(input))
  addStreams(vector, 32, 0, streams, nodeMasking.keystream)
}

const works = { shares: makeAndCheckShares, mask: maskVector, unmask } as const
const measured: Record<string, number[]> = { shares: [], mask: [], unmask: [] }
// The first time is in it: a site does each of these once a round, and may have just started.
for (let i = 0; i < repeats; i++) for (const [name, work] of Object.entries(works)) measured[name]?.push(await cpuSeconds(work))
process.stdout.write(`${JSON.stringify(measured)}\n`)
