import type { RunId, StudyId } from '#base/ids.ts'
import { studyId } from '#base/ids.ts'
import type { ChainEvent, ChainReader, Head, RunState, RunView, SiteRecord, StudyRecord } from '#ports/chain.ts'
import { revert } from './call.ts'
import type { SimChain } from './chain.ts'
import { asRotaError } from './ledger.ts'
import { viewOf } from './view.ts'

type EventFilter = NonNullable<Parameters<ChainReader['events']>[1]>

/** The chain as it stood at one moment: what an endpoint shows that has fallen behind. */
export class Snapshot {
  readonly head: Head
  readonly sites: readonly SiteRecord[]
  readonly studies: readonly StudyRecord[]
  readonly #runs: SimChain['contracts']['coordinator']['runs']
  readonly #events: readonly ChainEvent[]

  constructor(chain: SimChain) {
    this.head = chain.head()
    this.sites = chain.sites()
    this.studies = Array.from({ length: chain.contracts.studies.count }, (_, i) => chain.study(studyId(i + 1)))
    this.#runs = chain.contracts.coordinator.runs
    this.#events = [...chain.ledger.eventsFrom(0)]
  }

  get runs(): readonly { readonly run: RunId; readonly study: StudyId; readonly state: RunState }[] {
    return this.#runs.map(({ id, study, state }) => ({ run: id, study, state }))
  }

  study(id: StudyId): StudyRecord {
    return this.studies[id - 1] ?? refused(() => revert('StudyRegistry_UnknownStudy', { study: id }))
  }

  run(id: RunId): RunView {
    const run = this.#runs[id - 1] ?? refused(() => revert('RoundCoordinator_UnknownRun', { run: id }))
    return viewOf(run)
  }

  events(from: number, { run, kinds }: EventFilter = {}): readonly ChainEvent[] {
    const wanted = (event: ChainEvent) => event.block >= from && (run === undefined || ('run' in event && event.run === run))
    return this.#events.filter((event) => wanted(event) && (kinds?.includes(event.kind) ?? true))
  }
}

function refused(act: () => never): never {
  try {
    return act()
  } catch (error) {
    throw asRotaError(error)
  }
}
