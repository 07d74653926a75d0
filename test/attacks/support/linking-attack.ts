import { SimRandom } from '#adapters/sim/random.ts'
import type { Digest } from '#base/ids.ts'
import { areaUnderCurve, FOLDS, type Sample } from './classifier.ts'
import { HOSPITALS, type Observed, type Secret } from './linking-world.ts'

/** What the attack comes to: areas under the curve, on patients that it has not learned from. */
export interface Links {
  /** Whose patient withdrew? */
  readonly tagToHospital: number
  /** Which hospital's epoch was the one in which the withdrawn consent was given? */
  readonly tagToGrant: number
  /** In which spans of time did a hospital get consents? */
  readonly grantToHospital: number
}

/**
 * An attacker who reads the chain for a year and knows some patients (a fifth is judged by what the others taught): where their tags and grants
 * belong. Features: times between a tag and each hospital's roots and rounds, whether those roots changed, who sent the tag, with whom and where
 * in the batch it went, what known tags of the same batch belong to, and who stopped a run.
 */
export function link(observed: Observed, secret: Secret): Links {
  const seen = new Sight(observed, secret)
  return {
    tagToHospital: areaUnderCurve(seen.tagsAndHospitals()),
    tagToGrant: areaUnderCurve(seen.tagsAndGrants()),
    grantToHospital: areaUnderCurve(seen.grantsAndHospitals()),
  }
}

/** More grants are compared with each tag than are right. */
const OTHERS = 6
const SPAN_S = 3 * 86_400
const NEVER = 1e9

class Sight {
  readonly #observed: Observed
  readonly #secret: Secret
  readonly #tags: readonly { readonly tag: Digest; readonly atS: number; readonly batch: Observed['batches'][number]; readonly group: number }[]
  readonly #groups: ReadonlyMap<Digest, number>
  /** Moments of tags, by time. */
  readonly #sent: Timed
  readonly #roots: readonly Timed[]
  readonly #rounds: readonly Timed[]
  readonly #halts: readonly Timed[]

  constructor(observed: Observed, secret: Secret) {
    this.#observed = observed
    this.#secret = secret
    this.#tags = observed.batches.flatMap((batch) => batch.tags.map((tag) => ({ tag, atS: batch.atS, batch }))).map((each, group) => ({ ...each, group }))
    this.#groups = new Map(this.#tags.map(({ tag, group }) => [tag, group]))
    this.#sent = new Timed(observed.batches)
    const of = (events: readonly { readonly hospital: number; readonly atS: number; readonly root?: Digest }[]): Timed[] =>
      Array.from({ length: HOSPITALS }, (_, hospital) => new Timed(events.filter((e) => e.hospital === hospital)))
    this.#roots = of(observed.roots)
    this.#rounds = of(observed.contributions)
    this.#halts = of(observed.halts)
  }

  tagsAndHospitals(): Sample[] {
    return this.#tags.flatMap(({ tag, atS, batch, group }) =>
      this.#hospitals().map((hospital) => ({
        group,
        positive: this.#secret.tags.get(tag)?.hospital === hospital,
        features: [...this.#tagAt(hospital, atS, batch), this.#known(hospital, batch, group), batch.tags.length, batch.tags.indexOf(tag)],
      })),
    )
  }

  tagsAndGrants(): Sample[] {
    const random = new SimRandom('other grants')
    return this.#tags.flatMap(({ tag, atS, batch, group }) => {
      const before = this.#observed.roots.filter((root) => root.atS < atS)
      const truth = this.#secret.tags.get(tag)
      const right = before.find((root) => root.hospital === truth?.hospital && root.atS >= truth.grantedS)
      if (right === undefined) return []
      const others = Array.from({ length: OTHERS }, () => random.pick(before)).filter((root) => root !== right)
      return [right, ...others].map((root) => ({
        group,
        positive: root === right,
        features: [
          Math.log(atS - root.atS),
          this.#roots[root.hospital]?.sinceLast(root.atS) ?? 0,
          this.#isReply(root),
          ...this.#tagAt(root.hospital, atS, batch),
        ],
      }))
    })
  }

  grantsAndHospitals(): Sample[] {
    const from = Math.min(...this.#observed.roots.map(({ atS }) => atS))
    const to = Math.max(...this.#observed.roots.map(({ atS }) => atS))
    const spans = Array.from({ length: Math.floor((to - from) / SPAN_S) }, (_, i) => from + i * SPAN_S)
    // Shorter than it takes for two consents to come: most spans have none.
    return spans.flatMap((fromS, group) =>
      this.#hospitals().map((hospital) => {
        const toS = fromS + SPAN_S / 3
        const [roots, rounds] = [this.#roots[hospital] as Timed, this.#rounds[hospital] as Timed]
        return {
          group,
          positive: this.#secret.grants.some((grant) => grant.hospital === hospital && grant.atS >= fromS && grant.atS < toS),
          features: [
            this.#unprompted(hospital, fromS, toS),
            roots.between(fromS, toS),
            roots.changedAfter(fromS),
            roots.untilNext(fromS),
            rounds.changedAfter(fromS),
          ],
        }
      }),
    )
  }

  #hospitals(): number[] {
    return Array.from({ length: HOSPITALS }, (_, hospital) => hospital)
  }

  /** What a hospital does around a tag. */
  #tagAt(hospital: number, atS: number, { sender }: Observed['batches'][number]): number[] {
    const [roots, rounds, halts] = [this.#roots[hospital] as Timed, this.#rounds[hospital] as Timed, this.#halts[hospital] as Timed]
    const times = [roots.untilNext(atS), roots.sinceLast(atS), rounds.untilNext(atS), rounds.sinceLast(atS), halts.sinceLast(atS)]
    return [
      ...times.map((seconds) => Math.log(1 + seconds)),
      roots.changedAfter(atS),
      rounds.changedAfter(atS),
      sender === this.#observed.accounts[hospital] ? 1 : 0,
    ]
  }

  /** Tags of the same batch of which the attacker knows that they are this hospital's, and not another's; own group and its fold are not known. */
  #known(hospital: number, { tags }: Observed['batches'][number], group: number): number {
    const known = tags.flatMap((tag) => {
      const other = this.#groups.get(tag) ?? group
      return other % FOLDS === group % FOLDS ? [] : [this.#secret.tags.get(tag)?.hospital]
    })
    return known.reduce<number>((sum, of) => sum + (of === hospital ? 1 : -0.25), 0)
  }

  /** Roots that were not put for a tag. */
  #unprompted(hospital: number, fromS: number, toS: number): number {
    return this.#observed.roots.filter((root) => root.hospital === hospital && root.atS >= fromS && root.atS < toS && this.#isReply(root) === 0).length
  }

  /** A root that follows a tag at once was put for it, and not for a consent. */
  #isReply({ atS }: Observed['roots'][number]): number {
    return Math.min(this.#sent.sinceLast(atS), this.#sent.untilNext(atS)) < 10 ? 1 : 0
  }
}

/** One hospital's events of one kind, by time. */
class Timed {
  readonly #events: readonly { readonly atS: number; readonly root?: Digest }[]

  constructor(events: readonly { readonly atS: number; readonly root?: Digest }[]) {
    this.#events = events.toSorted((a, b) => a.atS - b.atS)
  }

  untilNext(atS: number): number {
    const next = this.#events[this.#after(atS)]
    return next === undefined ? NEVER : next.atS - atS
  }

  sinceLast(atS: number): number {
    const last = this.#events[this.#after(atS) - 1]
    return last === undefined || last.atS === atS ? NEVER : atS - last.atS
  }

  /** Whether the next root is another than the last. */
  changedAfter(atS: number): number {
    const next = this.#after(atS)
    return this.#events[next]?.root === this.#events[next - 1]?.root ? 0 : 1
  }

  between(fromS: number, toS: number): number {
    return this.#after(toS) - this.#after(fromS)
  }

  #after(atS: number): number {
    let [low, high] = [0, this.#events.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#events[middle] as { readonly atS: number }).atS <= atS) low = middle + 1
      else high = middle
    }
    return low
  }
}
