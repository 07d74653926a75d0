import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { giveTurn } from '#adapters/sim/chain/opening.ts'
import { type SiteId, siteId } from '#base/ids.ts'

/*
  whose turn is next (Rota.nextTurn)
  ├── the first site after the last leader, in cyclic order of ids, also when that leader is no longer in the rota
  ├── a site that is passed over is stepped over, and so once less the next time
  ├── one that is not reached keeps its times
  └── when all are passed over, all is forgiven
*/
const rota = [0, 2, 5, 9].map(siteId)
const passes = (times: Record<number, number>): ReadonlyMap<SiteId, number> => new Map(Object.entries(times).map(([site, n]) => [siteId(Number(site)), n]))

describe('whose turn is next', () => {
  for (const [last, expected] of [
    [0, 1],
    [5, 3],
    [9, 0],
    [3, 2],
    [200, 0],
  ] as const)
    it(`after site ${last}`, () => assert.equal(giveTurn(rota, siteId(last), passes({})).turn, expected))

  it('steps over who missed a turn, once less each time', () => {
    assert.deepEqual(giveTurn(rota, siteId(0), passes({ 2: 3, 5: 1 })), { turn: 3, passedOver: passes({ 2: 2 }) })
    assert.deepEqual(giveTurn(rota, siteId(0), passes({ 2: 1 })), { turn: 2, passedOver: passes({}) })
  })

  it('leaves those alone whom it does not reach', () =>
    assert.deepEqual(giveTurn(rota, siteId(0), passes({ 9: 2, 0: 1 })), { turn: 1, passedOver: passes({ 9: 2, 0: 1 }) }))

  it('comes back to the last leader when nobody else is free', () =>
    assert.deepEqual(giveTurn(rota, siteId(2), passes({ 0: 1, 5: 2, 9: 3 })), { turn: 1, passedOver: passes({ 5: 1, 9: 2 }) }))

  it('forgives all when all were passed over', () =>
    assert.deepEqual(giveTurn(rota, siteId(5), passes({ 0: 3, 2: 1, 5: 2, 9: 3 })), { turn: 3, passedOver: passes({}) }))
})
