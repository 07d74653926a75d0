import { expect } from 'chai'
import { type DisputePart, partsOf } from '../../../node/core/commit/dispute-parts.ts'
import { names, refused } from '../support/expect.ts'
import { MaskedRun, turned } from '../support/masked.ts'
import type { World } from '../support/world.ts'

describe('RoundCoordinator, Disputes in parts', () => {
  const all = [0, 1, 2, 3, 4]
  const order = [3, 0, 1, 4, 2]
  let m: MaskedRun
  let w: World
  let parts: readonly DisputePart[]

  beforeEach(async () => {
    m = await MaskedRun.open(5, { wordBits: 32, lengthBytes: 3000 })
    w = m.world
    await m.freeze(1, order, [0, 1])
    const wrong = turned(m.trueSum(1, all), 17)
    await m.publish(0, 1, wrong)
    parts = partsOf(m.evidence(1, all, wrong), 2)
  })

  const part = (i: number): DisputePart => parts[i] as DisputePart
  const refusedAs = (call: Promise<unknown>, error: string, args?: readonly unknown[]) => refused(call, w.rounds, `RoundCoordinator_${error}`, args)

  it('keeps one word between calls, and judges with the last', async () => {
    expect(parts.map(({ done, count }) => [done, count])).to.deep.equal([
      [0, 2],
      [2, 2],
      [4, 1],
    ])
    expect(names(await m.send(4, 1, part(0)))).to.deep.equal([])
    expect(names(await m.send(4, 1, part(1)))).to.deep.equal([])
    expect(names(await m.send(4, 1, part(2)))).to.deep.equal(['Disputed', 'PublicationDiscarded', 'PhaseBegan'])
  })

  it('goes by the updates alone: a partial sum outlives the publication', async () => {
    await m.send(4, 1, part(0))
    await m.send(4, 1, part(1))
    await m.dispute(3, 1, m.evidence(1, all, turned(m.trueSum(1, all), 17)))
    const other = turned(m.trueSum(1, all), 18)
    await m.publish(1, 1, other, 1)
    const { evidence } = partsOf(m.evidence(1, all, other), 2)[2] as DisputePart
    expect(names(await m.send(4, 1, { ...part(2), evidence }))).to.include('Disputed')
  })

  it('judges alone when all leaves are added already', async () => {
    const whole = partsOf(m.evidence(1, all, turned(m.trueSum(1, all), 17)), 2)
    for (const one of whole.slice(0, 2)) await m.send(4, 1, one)
    const { evidence, ...last } = part(2)
    await m.send(4, 1, { ...last, evidence: { ...evidence, sum: new Uint8Array(0) } })
    const total = m.trueSum(1, all).slice(0, 1024)
    const judged = { done: 5, count: 0, partialSum: total, evidence: { ...evidence, updates: new Uint8Array(0) } }
    expect(names(await m.send(4, 1, judged))).to.include('Disputed')
  })

  it('begins again with the first part', async () => {
    await m.send(4, 1, part(0))
    await m.send(4, 1, part(1))
    await m.send(4, 1, part(0))
    await refusedAs(m.send(4, 1, part(2)), 'OtherPartialSum', [1, 1, 4])
    await m.send(4, 1, part(1))
    expect(names(await m.send(4, 1, part(2)))).to.include('Disputed')
  })

  it('refuses a partial sum that is not what the site left', async () => {
    await refusedAs(m.send(4, 1, part(1)), 'OtherPartialSum', [1, 1, 2])
    await m.send(4, 1, part(0))
    await refusedAs(m.send(3, 1, part(1)), 'OtherPartialSum', [1, 1, 2])
    await refusedAs(m.send(4, 1, { ...part(1), partialSum: turned(part(1).partialSum) }), 'OtherPartialSum')
    await refusedAs(m.send(4, 1, { ...part(1), partialSum: new Uint8Array(0) }), 'OtherPartialSum')
    await refusedAs(m.send(4, 1, { ...part(1), done: 1 }), 'OtherPartialSum', [1, 1, 1])
    await refusedAs(m.send(4, 1, { ...part(1), evidence: { ...part(1).evidence, leaf: 1 } }), 'OtherPartialSum')
    await refusedAs(m.send(4, 1, { ...part(1), evidence: { ...part(1).evidence, leaves: 4 } }), 'OtherPartialSum')
  })

  it('refuses a part of another site, of none, and of more than are missing', async () => {
    await refusedAs(m.send(4, 1, { ...part(1), done: 0 }), 'WrongPath', [3])
    await refusedAs(m.send(4, 1, { ...part(0), evidence: { ...part(0).evidence, updates: new Uint8Array(0) } }), 'WrongUpdates')
    await m.send(4, 1, part(0))
    const [{ evidence: whole }] = partsOf(m.evidence(1, all, m.trueSum(1, all)), 5) as [DisputePart]
    await refusedAs(m.send(4, 1, { ...part(1), evidence: { ...part(1).evidence, updates: whole.updates } }), 'WrongUpdates')
    await refusedAs(m.send(4, 1, { ...part(1), evidence: { ...part(1).evidence, sum: part(2).evidence.sum } }), 'WrongUpdates')
  })
})
