import { resolve } from 'node:path'
import type { Mapping } from '#adapters/cohort/mapping.ts'
import { readMapping } from '#app/protocol/mapping-file.ts'
import type { Digest, RoundNo, RunId } from '#base/ids.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import type { Cohort, ConsentedCohort } from '#ports/cohort.ts'
import type { SiteFolder } from './site-folder.ts'

/** The site's cohort, with its mapping file read for each protocol when it is first asked: a mapping is checked against what the protocol names. */
export class LazyCohort implements Cohort {
  readonly #folder: SiteFolder
  readonly #open: (mapping: Mapping) => Cohort
  readonly #cohorts = new Map<string, Promise<Cohort>>()

  constructor(folder: SiteFolder, open: (mapping: Mapping) => Cohort) {
    this.#folder = folder
    this.#open = open
  }

  async consented(protocol: Protocol, withdrawn: ReadonlySet<Digest>): Promise<ConsentedCohort> {
    return (await this.#cohortFor(protocol)).consented(protocol, withdrawn)
  }

  async remember(cohort: ConsentedCohort, protocol: Protocol, run: RunId, round: RoundNo): Promise<void> {
    return (await this.#cohortFor(protocol)).remember(cohort, protocol, run, round)
  }

  #cohortFor(protocol: Protocol): Promise<Cohort> {
    const key = JSON.stringify([protocol.features, protocol.label])
    const known = this.#cohorts.get(key) ?? this.#read(protocol)
    this.#cohorts.set(key, known)
    known.catch(() => this.#cohorts.delete(key))
    return known
  }

  async #read(protocol: Protocol): Promise<Cohort> {
    const { config, paths } = this.#folder
    const file = config.data.mapping === undefined ? null : resolve(paths.folder, config.data.mapping)
    return this.#open(await readMapping(file, protocol))
  }
}
