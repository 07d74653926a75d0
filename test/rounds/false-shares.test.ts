import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { nodeMasking } from '#adapters/masking/node-masking.ts'
import { type FaultPlan, NO_FAULTS } from '#adapters/sim/faults.ts'
import type { SimPorts } from '#adapters/sim/site.ts'
import { rulesOf } from '#app/protocol/study-rules.ts'
import { simulateNetwork } from '#app/simulate/simulated-network.ts'
import { sitesOf } from '#base/bitmap.ts'
import { siteId } from '#base/ids.ts'
import { maskKeyOf } from '#core/masking/round-keys.ts'
import type { LearnerSpec, Protocol } from '#core/protocol/protocol.ts'
import type { ChainEvent } from '#ports/chain.ts'
import type { PlayHooks } from '#round/player.ts'
import type { Progress } from '#round/progress.ts'
import { decodeDealFile, encodeDealFile, MOST_TOGETHER } from '#wire/masking/deal-file.ts'
import { encodeDealWord } from '#wire/masking/deal-word.ts'
import { encodeKeyOffer } from '#wire/masking/key-offer.ts'
import { decodeMessage, encodeTogether, wordsApart } from '#wire/message.ts'
import { auditOf } from '../support/audit-of.ts'
import { generatedStudy } from '../support/studies.ts'

// given a masked study, and a site that shares out another secret than it promises: its parcels open, and each share is the one that it is bound to
// ├── the first sum is refused, all others repeat the round without it, and the run finishes; so among five, in groups, and with a site that starts again
// │   └── an auditor recomputes all rounds, and names it
// ├── so where it keys and is silent then: nobody can take the masks off that others shared with it
// ├── so where some of its shares rebuild the right secret
// ├── so where a site is killed before it refused: it takes the base over, and is in the repeat
// ├── so where it shows its own share to some, who then can: what the others found stands on chain, and all refuse the next publication
// └── in the repeat it has no place: nobody names its deal as held
const FEDAVG: LearnerSpec = { kind: 'logistic', algorithm: 'fedavg', rounds: 3, localSteps: 2, learningRate: 0.5, l2: 0.01, standardise: 'pooled' }
const DEALER = 3

interface Options {
  readonly sites: number
  readonly change?: Partial<Protocol>
  /** Of its shares, by place. */
  readonly areFalse?: (place: number) => boolean
  /** Other sites are honest; at the dealer this comes before a row. */
  readonly hooks?: (ports: SimPorts) => PlayHooks
  readonly disturbances?: FaultPlan['disturbances']
}

async function play(t: TestContext, { sites, change = {}, areFalse = () => true, hooks = () => ({}), disturbances = [] }: Options) {
  const study = generatedStudy({ sites, rows: 60, learner: FEDAVG, change: { mode: 'masked', minSites: 5, quorum: 4, maxSites: sites, ...change } })
  const secrets = new Set<string>()
  const { split } = nodeMasking
  t.mock.method(nodeMasking as { split: typeof split }, 'split', async (secret: Uint8Array, shares: number, threshold: number) => {
    const right = await split(secret, shares, threshold)
    if (!secrets.has(Buffer.from(secret).toString('hex'))) return right
    const other = await split(
      secret.map((byte) => byte ^ 1),
      shares,
      threshold,
    )
    return right.map((share, place) => (areFalse(place) ? (other[place] as Uint8Array) : share))
  })
  const told: (Progress & { readonly at: number })[] = []
  const ports = new Map<number, SimPorts>()
  const network = await simulateNetwork({
    seed: 1,
    sites: study.sites,
    protocol: study.protocol,
    rules: await rulesOf(study.protocol),
    faults: { ...NO_FAULTS, disturbances },
    tell: (site, progress) => void told.push({ ...progress, at: site.id }),
    hooks: (site) => {
      ports.set(site.id, site)
      if (site.id === DEALER) {
        const { random } = site.host
        const bytes = random.bytes.bind(random)
        random.bytes = (length) => {
          const made = bytes(length)
          if (length === 32) secrets.add(Buffer.from(made).toString('hex'))
          return made
        }
      }
      return hooks(site)
    },
  })
  try {
    const run = await network.openRun()
    const { world } = network
    for (let seconds = 0; seconds < 4_000 && ['Active', 'Paused'].includes(world.chain.run(run).state); seconds++) await world.time.sleep(1_000)
    const audit = await auditOf(network, ports.get(0) as SimPorts, study.protocol)
    return { view: world.chain.run(run), events: await network.events(), told, audit }
  } finally {
    network.stop()
  }
}

type Played = Awaited<ReturnType<typeof play>>

const only = <K extends ChainEvent['kind']>(events: readonly ChainEvent[], kind: K) =>
  events.filter((event): event is Extract<ChainEvent, { kind: K }> => event.kind === kind)
const setsOf = ({ events }: Played): string[] => only(events, 'Frozen').map(({ included }) => sitesOf(included).join())
const without = (sites: number): string =>
  Array.from({ length: sites }, (_, site) => site)
    .filter((site) => site !== DEALER)
    .join()

/** Refused once, without a site of the set but the dealer, and never again. */
function isMended(played: Played, sites: number): void {
  const { view, events, told, audit } = played
  assert.deepEqual([view.state, only(events, 'RoundRefused').length, only(events, 'RoundVoid').length], ['Finished', 1, 0])
  const refused = only(events, 'RoundRefused')[0]?.round ?? 0
  assert.deepEqual([...new Set(setsOf(played).slice(refused))], [without(sites)])
  const named = told.filter((p) => p.kind === 'false-shares')
  assert.ok(named.length >= sites / 2 && named.every((p) => p.kind === 'false-shares' && `${p.sites}` === `${DEALER}`))
  assert.deepEqual([audit.faults, [...new Set(audit.rounds.map(({ verdict }) => verdict))], audit.ok], [[], ['recomputed'], true])
  // Where single parcels lie has another name in the transcript: their part is looked at in test/unit/audit/unmask.test.ts.
  const found = sites <= MOST_TOGETHER ? `site ${DEALER} dealt shares of another secret` : `the deal of site ${DEALER}`
  assert.ok(audit.notes.some((note) => note.includes(found) && note.includes('it is left out')))
  for (const { round, site, holds } of only(events, 'Keyed')) if (round > refused && site !== DEALER) assert.equal(holds & (1n << BigInt(DEALER)), 0n)
}

describe('shares of another secret than promised', () => {
  for (const sites of [5, 7, 10])
    it(`end no run of ${sites} sites: all but their dealer repeat the round`, async (t) => {
      const played = await play(t, { sites })
      isMended(played, sites)
      const away = played.told.flatMap((p) => (p.kind === 'abstained' && p.at === DEALER ? [p.detail] : []))
      assert.ok(away.length > 0 && away.every((detail) => detail.startsWith('ROTA-2334')))
    })

  it('end none of a study in groups', async (t) => {
    const played = await play(t, { sites: 15, change: { mode: 'groups', minSites: 15, quorum: 12 } })
    isMended(played, 15)
  })

  it('end none where their dealer keys and is silent', async (t) => {
    const played = await play(t, {
      sites: 7,
      hooks: ({ id }) => ({ beforeRow: async (row) => (id === DEALER && row === 'contribute' ? new Promise(() => {}) : undefined) }),
    })
    isMended(played, 7)
    assert.equal(setsOf(played)[0], without(7))
  })

  for (const least of [1, 2, 4])
    it(`end none where the first ${least} rebuild the right one`, async (t) => {
      const played = await play(t, { sites: 7, areFalse: (place) => place >= least })
      isMended(played, 7)
    })

  it('end none where a site was killed before it refused: it takes the base over, and is in the repeat', async (t) => {
    const kill = { at: { round: 1, phase: 'Attesting', afterMs: 0 }, kind: 'kill', who: siteId(1), backAfterMs: 3_000 } as const
    const played = await play(t, { sites: 7, disturbances: [kill] })
    isMended(played, 7)
    const refusing = only(played.events, 'Attested').filter(({ round, status }) => round === 1 && status === 'refused')
    assert.ok(!refusing.some(({ site }) => site === 1), 'it was away')
    assert.ok(played.told.some((p) => p.kind === 'adopted' && p.at === 1 && p.modelRoot === refusing[0]?.modelRoot))
  })

  it('end none where it shows its own share to some, who can rebuild the right one then', async (t) => {
    // Of 0, 1, 2, the dealer and 4 the shares are right: who has its own unmasks the sum, and the others refuse it. It attests nothing, so neither has a majority.
    const played = await play(t, {
      sites: 7,
      areFalse: (place) => place > 4,
      hooks({ id, gossip }) {
        if (id >= 4) withoutRelease(gossip)
        return { beforeRow: async (row) => (id === DEALER && row === 'attest' ? new Promise(() => {}) : undefined) }
      },
    })
    const said = only(played.events, 'Attested').filter(({ round }) => round === 1)
    assert.deepEqual([...new Set(said.filter(({ attempt }) => attempt === 0).map(({ site, status }) => `${site} ${status}`))].sort(), [
      '0 continue',
      '1 continue',
      '2 continue',
      '4 refused',
      '5 refused',
      '6 refused',
    ])
    assert.ok(said.some(({ attempt, site, status }) => attempt === 1 && site < 3 && status === 'refused'))
    assert.equal(only(played.events, 'PublicationDiscarded').length, 1)
    isMended(played, 7)
  })
})

describe('a deal of another key for one site', () => {
  const { publicKey } = maskKeyOf(new Uint8Array(32).fill(7), nodeMasking)

  /** What the dealer says, as one site hears it. */
  function asHeardBy(gossip: SimPorts['gossip'], change: (said: ReturnType<typeof decodeMessage>) => Uint8Array | null): void {
    const start = gossip.start.bind(gossip)
    gossip.start = (judge, deliver, answer) =>
      start(
        judge,
        (message, from) => {
          const words = wordsApart(message)
          deliver(from === DEALER ? encodeTogether(words.map((word) => change(decodeMessage(word)) ?? word)) : message, from)
        },
        answer,
      )
  }

  const otherDeal = (said: ReturnType<typeof decodeMessage>): Uint8Array | null => {
    if (said.kind !== 'deal') return null
    const file = decodeDealFile(said.file)
    return encodeDealWord({ ...said, file: encodeDealFile({ ...file, index: { ...file.index, maskKey: publicKey } }) })
  }
  const otherOffer = (said: ReturnType<typeof decodeMessage>): Uint8Array | null =>
    said.kind === 'key-offer' ? encodeKeyOffer({ ...said, offer: { ...said.offer, maskKey: publicKey } }) : null

  const both = (said: ReturnType<typeof decodeMessage>): Uint8Array | null => otherDeal(said) ?? otherOffer(said)

  for (const [what, change, left] of [
    ['is not taken beside an offer that says otherwise: the two share no mask', otherDeal, '0,1,2,3,4,5,6'],
    ['and no deal that the dealer did not key with, be there an offer to match: the two share no mask', both, '0,1,2,3,4,5,6'],
  ] as const)
    it(what, async (t) => {
      const played = await play(t, {
        sites: 7,
        areFalse: () => false,
        hooks({ id, gossip }) {
          if (id === 1) asHeardBy(gossip, change)
          return {}
        },
      })
      assert.deepEqual([played.view.state, only(played.events, 'RoundRefused').length, only(played.events, 'RoundVoid').length], ['Finished', 0, 0])
      assert.equal(setsOf(played)[0], left)
      assert.deepEqual(played.audit.faults, [])
      const [keyed] = only(played.events, 'Keyed').filter(({ site }) => site === 1)
      assert.equal(((keyed?.holds ?? 0n) & (1n << BigInt(DEALER))) !== 0n, change === both)
    })
})

/** A site that does not hear what the dealer shows. */
function withoutRelease(gossip: SimPorts['gossip']): void {
  const start = gossip.start.bind(gossip)
  gossip.start = (judge, deliver, answer) =>
    start(
      judge,
      (message, from) => {
        const words = wordsApart(message).filter((word) => from !== DEALER || decodeMessage(word).kind !== 'release')
        if (words.length > 0) deliver(encodeTogether(words), from)
      },
      answer,
    )
}
