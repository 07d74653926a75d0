import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bitmapOf, sitesOf } from '#base/bitmap.ts'
import { attemptNo, type Digest, roundNo, runId, siteId, studyId, ZERO_DIGEST } from '#base/ids.ts'
import type { AttestStatus, ChainEvent, ChainEventBody } from '#ports/chain.ts'
import { followLineage, watchLineage } from '#round/lineage.ts'

/**
 * Lineage
 * given the log of a run with closed, void and refused rounds and a discarded publication
 * ├── its models are followed from the initial one to the newest, each with its round and epoch
 * ├── it tells who holds the newest: those who attested exactly that, in the attempt that closed the round
 * ├── cut anywhere, what is left holds, up to the model that it reaches
 * ├── when an endpoint invents, hides or changes a round, it holds up to there and says why
 * └── read on as the log grows, it is what the whole log says; also after the chain went back, and after a fault that has passed
 */
const RUN = runId(1)
const SITES = [0, 1, 2].map(siteId)
const digestOf = (n: number): Digest => `0x${n.toString(16).padStart(64, '0')}` as Digest
const model = (n: number) => ({ root: digestOf(n), cid: digestOf(1000 + n) })

function logOf(): ChainEvent[] {
  const events: ChainEvent[] = []
  const write = (body: ChainEventBody): void => void events.push({ block: events.length + 1, index: 0, timestamp: events.length, tx: ZERO_DIGEST, ...body })
  const at = (round: number) => ({ run: RUN, round: roundNo(round) })
  const opened = (round: number, base: number, epoch: number): void =>
    write({
      ...{ kind: 'RoundOpened', ...at(round), leader: SITES[0] as never, turn: 0, rota: SITES, awaited: bitmapOf(SITES) },
      ...{ baseRoot: model(base).root, baseCid: model(base).cid, epoch },
    })
  const published = (round: number, attempt: number): void =>
    write({ kind: 'Published', ...at(round), attempt: attemptNo(attempt), site: siteId(0), sumRoot: digestOf(77), sumCid: digestOf(78) })
  const attested = (round: number, attempt: number, site: number, result: number, status: AttestStatus): void => {
    const { root, cid } = model(result)
    write({ kind: 'Attested', ...at(round), attempt: attemptNo(attempt), site: siteId(site), modelRoot: root, modelCid: cid, status, own: ZERO_DIGEST })
  }
  const frozen = (round: number): void => write({ kind: 'Frozen', ...at(round), included: bitmapOf(SITES), accumulator: ZERO_DIGEST })
  const ended = (kind: 'RoundClosed' | 'RoundRefused', round: number, attempt: number, result: number): void => {
    const of = { ...at(round), attempt: attemptNo(attempt), modelRoot: model(result).root, modelCid: model(result).cid }
    write(kind === 'RoundClosed' ? { kind, ...of, status: 'continue' } : { kind, ...of })
  }

  write({ kind: 'RunOpened', run: RUN, study: studyId(1), site: siteId(0), modelRoot: model(1).root, modelCid: model(1).cid })
  opened(1, 1, 0)
  frozen(1)
  published(1, 0)
  for (const site of [0, 1]) attested(1, 0, site, 2, 'continue')
  ended('RoundClosed', 1, 0, 2)
  attested(1, 0, 2, 2, 'continue')
  opened(2, 2, 0)
  write({ kind: 'RoundVoid', ...at(2), phase: 'Witnessing' })
  opened(3, 2, 1)
  frozen(3)
  published(3, 0)
  write({ kind: 'PublicationDiscarded', ...at(3), attempt: attemptNo(0), publisher: siteId(0), wrongSum: true })
  published(3, 1)
  attested(3, 1, 1, 9, 'continue')
  for (const site of [2, 0]) attested(3, 1, site, 3, 'refused')
  ended('RoundRefused', 3, 1, 3)
  opened(4, 3, 1)
  frozen(4)
  published(4, 0)
  for (const site of [2, 1]) attested(4, 0, site, 4, 'continue')
  ended('RoundClosed', 4, 0, 4)
  opened(5, 4, 1)
  return events
}

describe('lineage', () => {
  const log = logOf()
  const whole = followLineage(log, model(1).root)
  const change = (kind: ChainEvent['kind'], nth: number, to: (event: ChainEvent) => ChainEvent | null): ChainEvent[] => {
    let seen = 0
    return log.flatMap((event) => (event.kind === kind && seen++ === nth ? (to(event) ?? []) : event))
  }

  it('leads from the initial model to the newest', () => {
    assert.equal(whole.fault, null)
    assert.deepEqual(whole.models, [
      { ...model(1), round: null, epoch: 0 },
      { ...model(2), round: 1, epoch: 0 },
      { ...model(3), round: 3, epoch: 1 },
      { ...model(4), round: 4, epoch: 1 },
    ])
  })

  it('tells who holds the newest model', () => {
    const holdersAfter = (kind: ChainEvent['kind'], nth = 0): readonly number[] => {
      const ends = log.flatMap((event, at) => (event.kind === kind ? [at + 1] : []))
      return sitesOf(followLineage(log.slice(0, ends[nth]), model(1).root).holders)
    }
    assert.deepEqual(holdersAfter('RunOpened'), [])
    assert.deepEqual(holdersAfter('RoundClosed'), [0, 1])
    assert.deepEqual(holdersAfter('RoundRefused'), [0, 2], 'the other had another model')
    assert.deepEqual(holdersAfter('RoundClosed', 1), [1, 2])
  })

  it('holds wherever the log ends', () => {
    for (let length = 0; length <= log.length; length++) {
      const { models, fault } = followLineage(log.slice(0, length), model(1).root)
      assert.deepEqual([fault, models], [null, whole.models.slice(0, models.length)], `${length} events`)
    }
  })

  const lies: readonly (readonly [string, ChainEvent[], number])[] = [
    ['another initial model', change('RunOpened', 0, (e) => ({ ...e, modelRoot: digestOf(5) }) as ChainEvent), 0],
    ['a round that opens on another model', change('RoundOpened', 2, (e) => ({ ...e, baseRoot: digestOf(5) }) as ChainEvent), 2],
    ['a round that opens on the same model at another place', change('RoundOpened', 3, (e) => ({ ...e, baseCid: digestOf(5) }) as ChainEvent), 3],
    ['a hidden round', change('RoundOpened', 1, () => null), 2],
    ['a hidden end', change('RoundClosed', 0, () => null), 1],
    ['another result', change('RoundClosed', 1, (e) => ({ ...e, modelRoot: digestOf(5) }) as ChainEvent), 3],
    ['a set that was never frozen', change('Frozen', 0, () => null), 1],
    ['a minority', change('Attested', 0, () => null), 1],
    ['a refusal by the fewer', change('Attested', 5, () => null), 2],
    ['one site that speaks twice', change('Attested', 1, (e) => ({ ...e, site: siteId(0) }) as ChainEvent), 1],
    ['a site outside the set', change('Attested', 1, (e) => ({ ...e, site: siteId(9) }) as ChainEvent), 1],
    ['a sum that was thrown out', change('Published', 2, () => null), 2],
    [
      'a round that ends twice',
      change('RoundVoid', 0, (e) => ({ ...e, ...(log.find((x) => x.kind === 'RoundClosed') as ChainEvent), round: 2 }) as ChainEvent),
      2,
    ],
  ]
  for (const [name, events, reached] of lies)
    it(`stops at ${name}`, () => {
      const { models, fault } = followLineage(events, model(1).root)
      assert.ok(fault !== null && fault.length > 0)
      assert.deepEqual(models, whole.models.slice(0, reached))
    })

  it('is what the whole log says, when it is read on', async () => {
    let shown: readonly ChainEvent[] = []
    const asked: number[] = []
    const chain = {
      async events(from: number) {
        asked.push(from)
        return shown.filter(({ block }) => block >= from)
      },
    }
    const lineage = watchLineage(chain, RUN, model(1).root)
    const show = async (events: readonly ChainEvent[]) => {
      shown = events
      const { models, fault } = await lineage()
      return { models: [...models], fault }
    }
    for (let length = 0; length <= log.length; length += 3) {
      const { models, fault } = followLineage(log.slice(0, length), model(1).root)
      assert.deepEqual(await show(log.slice(0, length)), { models, fault }, `${length} events`)
    }
    assert.ok(asked.filter((from) => from === 0).length <= 2, 'what was read is not read again')
    const [, hidden] = lies.find(([name]) => name === 'a minority') as (typeof lies)[number]
    assert.deepEqual((await show(hidden.slice(0, 4))).models.length, 1, 'the chain went back')
    assert.ok((await show(hidden)).fault !== null)
    assert.deepEqual(await show(log), { models: whole.models, fault: null })
  })
})
