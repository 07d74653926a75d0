import type { ConsentEntry, RecordedThen, Standing } from '#adapters/cohort/consent-store.ts'
import { digestOf } from '#adapters/sim/hash.ts'
import type { SimRandom } from '#adapters/sim/random.ts'
import { type RootKeeperParts, rootKeeper } from '#app/consent/keep-roots.ts'
import { sha256 } from '#app/sha256.ts'
import { toHex } from '#base/bytes.ts'
import { type Digest, siteId } from '#base/ids.ts'
import { cadenceSeconds, expiresAt, nextCadence, type Terms } from '#core/consent/terms.ts'
import { programmeId } from '#patient/keys.ts'
import type { ChainEvent } from '#ports/chain.ts'
import type { Vault } from '#ports/vault.ts'
import { encodeTerms, termsDigest } from '#wire/terms.ts'
import type { Observed, Patient } from './linking-world.ts'

export const PROGRAMME = 'a year'
export const TERMS: Terms = {
  ...{ version: 1, programme: PROGRAMME, lawfulBasis: 'consent', expires: '2031-12-31', cadenceHours: 72, relayDelayHours: 48 },
  controllers: [{ name: 'Harbour hospital', contact: 'research@harbour.example' }],
  dataProtectionOfficer: { name: 'The officer', email: 'dpo@harbour.example' },
  dataCategories: ['dpv-pd:HealthRecord'],
  ombudsman: null,
  portals: ['https://harbour.example'],
  texts: { en: { title: 'A year', purpose: 'Tests', data: 'Rows', withdrawing: 'Any time', limits: 'Models stay' } },
}

interface YearAtHospital {
  readonly patients: readonly Patient[]
  readonly vault: Pick<Vault, 'keyedDigest'>
  readonly batches: Observed['batches']
  readonly fromS: number
  readonly toS: number
}

/** The roots of one hospital as its node puts them on chain, by the node's own code: it looks soon after each step, and often in between. */
export async function keptRoots(
  year: YearAtHospital,
  jitter: SimRandom,
): Promise<readonly { readonly epoch: number; readonly root: Digest; readonly atS: number }[]> {
  const node = new RootNode(year)
  const look = rootKeeper(node.parts())
  await look()
  for (let stepS = nextCadence(TERMS, year.fromS); stepS < year.toS; stepS = nextCadence(TERMS, stepS)) {
    // A node looks every few seconds; these are looks enough to see a root that comes for another reason than the step.
    for (const afterS of [5 * jitter.fraction(), cadenceSeconds(TERMS) * jitter.fraction(), cadenceSeconds(TERMS) - 5]) {
      node.nowS = Math.max(node.nowS, stepS + afterS)
      await look()
    }
  }
  return node.roots.map(({ epoch, root, timestamp }) => ({ epoch, root, atS: timestamp }))
}

type Root = Extract<ChainEvent, { kind: 'ConsentRoot' }>

/** What a node that keeps roots has around it: its record of consents, and the chain, as they are at `nowS`. */
class RootNode {
  nowS: number
  readonly roots: Root[] = []
  readonly #year: YearAtHospital
  readonly #taken: ConsentEntry[] = []
  readonly #recorded: readonly { readonly atS: number; readonly entry: ConsentEntry }[]
  readonly #withdrawn: readonly ChainEvent[]

  constructor(year: YearAtHospital) {
    this.#year = year
    this.nowS = year.fromS
    this.#recorded = recordOf(year.patients)
    const tags = year.batches.flatMap(({ tags, atS }) =>
      tags.map((tag) => ({ ...place(atS), kind: 'ConsentWithdrawn', programme: programmeId(PROGRAMME), tag })),
    )
    this.#withdrawn = (tags as unknown as ChainEvent[]).sort((a, b) => a.timestamp - b.timestamp)
  }

  parts(): RootKeeperParts {
    const { vault } = this.#year
    const standings = async (_: string, first?: number): Promise<ReadonlyMap<Digest, Standing>> =>
      new Map(
        this.#entries()
          .slice(0, first)
          .map((e): [Digest, Standing] => [e.patient, { state: e.kind, tag: e.tag }]),
      )
    const consents = {
      programmes: async () => [PROGRAMME],
      size: async () => this.#entries().length,
      standings,
      tagsThen: async (programme: string, { recordEntries }: RecordedThen) =>
        [...(await standings(programme, recordEntries)).values()].flatMap(({ state, tag }) => (state === 'granted' && tag !== null ? [tag] : [])),
      append: async (entries: readonly ConsentEntry[]) => void this.#taken.push(...entries),
    }
    const chain = {
      head: async () => ({ number: 1, hash: digestOf('block'), timestamp: this.nowS }),
      events: async (_: number, { kinds }: { readonly kinds: readonly string[] }) => this.#events(kinds),
      consentRoot: async (programme: Digest, epoch: number, root: Digest) =>
        void this.roots.push({ ...place(this.nowS), kind: 'ConsentRoot', site: siteId(0), programme, epoch, root }),
    }
    const parts = { chain, own: { id: siteId(0) }, folder: { vault, consents, archive: { rememberGrants: async () => undefined } } }
    const log = { info: () => undefined, warn: () => undefined, error: () => undefined, debug: () => undefined }
    return {
      ...parts,
      approved: async () => [PROGRAMME],
      clock: { nowMs: () => 1000 * this.nowS, sleep: async () => undefined },
      log,
    } as unknown as RootKeeperParts
  }

  /** As the desk has written them until now, and what the node took over from the chain. */
  #entries(): readonly ConsentEntry[] {
    const until = this.#recorded.findIndex(({ atS }) => atS > this.nowS)
    return [...this.#recorded.slice(0, until < 0 ? undefined : until).map(({ entry }) => entry), ...this.#taken]
  }

  #events(kinds: readonly string[]): readonly ChainEvent[] {
    const until = kinds.includes('ConsentWithdrawn') ? this.#withdrawn.findIndex(({ timestamp }) => timestamp > this.nowS) : 0
    const withdrawn = this.#withdrawn.slice(0, until < 0 ? undefined : until)
    return [PUBLISHED, ...this.roots, ...withdrawn].filter(({ kind }) => kinds.includes(kind))
  }
}

/** What a desk writes down of these, in the order of time; who withdraws by tag is not noted at the desk. */
const recordOf = (patients: readonly Patient[]) =>
  patients
    .flatMap(({ tag, grantedS, withdrawnS, byTag }) => [
      { atS: grantedS, entry: { kind: 'granted', patient: tag, programme: PROGRAMME, tag } as ConsentEntry },
      ...(withdrawnS === null || byTag
        ? []
        : [{ atS: withdrawnS, entry: { kind: 'withdrawn', patient: tag, programme: PROGRAMME, tag, at: '' } as ConsentEntry }]),
    ])
    .sort((a, b) => a.atS - b.atS)

const place = (timestamp: number) => ({ block: 1, index: 0, timestamp, tx: digestOf('transaction') })

const PUBLISHED = {
  ...place(0),
  kind: 'TermsPublished',
  programme: programmeId(PROGRAMME),
  version: TERMS.version,
  site: siteId(0),
  digest: termsDigest(TERMS, sha256),
  basis: TERMS.lawfulBasis,
  ombudsman: null,
  expiresAt: expiresAt(TERMS),
  text: toHex(encodeTerms(TERMS)),
} as unknown as ChainEvent
