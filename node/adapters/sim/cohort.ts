import { fromHex, toDigest, utf8 } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import type { Digest, RoundNo, RunId } from '#base/ids.ts'
import type { SplitTable, Table } from '#core/model/table.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import type { Cohort, ConsentedCohort } from '#ports/cohort.ts'
import { digestOf, sha256 } from './hash.ts'

/** Tags of the patients behind each row of the two tables; a patient may have several rows. */
export interface RowTags {
  readonly train: readonly Digest[]
  readonly test: readonly Digest[]
}

/** A site's rows in memory, already in the protocol's features and units. */
export class SimCohort implements Cohort {
  readonly #rows: SplitTable
  readonly #tags: RowTags
  readonly #withdrawnHere = new Set<Digest>()
  #last: { readonly withdrawn: string; readonly cohort: ConsentedCohort } | null = null

  /** Without `tags` each row is a patient of its own. */
  constructor(site: string, rows: SplitTable, tags?: RowTags) {
    this.#rows = rows
    this.#tags = tags ?? { train: tagRows(site, 'train', rows.train), test: tagRows(site, 'test', rows.test) }
  }

  get tags(): RowTags {
    return this.#tags
  }

  /** Patients who train and have not withdrawn here. */
  get staying(): readonly Digest[] {
    return this.#tags.train.filter((tag) => !this.#withdrawnHere.has(tag))
  }

  /** The desk's immediate local stop, before the tag is on chain. */
  withdrawHere(tag: Digest): void {
    this.#withdrawnHere.add(tag)
    this.#last = null
  }

  async consented(protocol: Protocol, withdrawn: ReadonlySet<Digest>): Promise<ConsentedCohort> {
    this.#check(protocol)
    const gone = new Set([...this.#tags.train, ...this.#tags.test].filter((tag) => withdrawn.has(tag) || this.#withdrawnHere.has(tag)))
    const key = [...gone].sort().join()
    if (this.#last?.withdrawn !== key) this.#last = { withdrawn: key, cohort: this.#without(gone) }
    return this.#last.cohort
  }

  /** Nobody asks a simulated site what its cohort was. */
  async remember(_cohort: ConsentedCohort, _protocol: Protocol, _run: RunId, _round: RoundNo): Promise<void> {}

  #check(protocol: Protocol): void {
    const { columns } = this.#rows.train
    protocol.features.forEach(({ name }, i) => {
      if (columns[i] !== name) throw new RotaError('ROTA-3006', { file: 'the simulated cohort', column: name, nearest: columns[i] ?? '' })
    })
  }

  #without(gone: ReadonlySet<Digest>): ConsentedCohort {
    const tags = [...new Set([...this.#tags.train, ...this.#tags.test])].filter((tag) => !gone.has(tag)).sort()
    const training = new Set(this.#tags.train)
    return {
      table: { train: keep(this.#rows.train, this.#tags.train, gone), test: keep(this.#rows.test, this.#tags.test, gone) },
      patients: tags.map(nameOf),
      testing: tags.filter((tag) => !training.has(tag)).map(nameOf),
      tags,
      without: (patients) => this.#without(new Set([...gone, ...tags.filter((tag) => patients.has(nameOf(tag)))])),
      rootIn: (run, round) => toDigest(sha256(utf8(`cohort/${run}/${round}`), ...tags.map(fromHex))),
    }
  }
}

const nameOf = (tag: Digest): Digest => digestOf('patient', tag)

const tagRows = (site: string, set: string, table: Table): Digest[] => Array.from({ length: table.rows }, (_, row) => digestOf('tag', site, set, row))

function keep(table: Table, tags: readonly Digest[], gone: ReadonlySet<Digest>): Table {
  if (gone.size === 0) return table
  const rows = tags.flatMap((tag, row) => (gone.has(tag) ? [] : [row]))
  const width = table.columns.length
  const values = new Float64Array(rows.length * width)
  rows.forEach((row, i) => values.set(table.values.subarray(row * width, (row + 1) * width), i * width))
  return { columns: table.columns, rows: rows.length, values, label: Float64Array.from(rows, (row) => table.label[row] as number) }
}
