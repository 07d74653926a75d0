/**
 * How much gas calls are given, on a chain whose blocks hold 40,000
 * given two calls for which a whole block is too small, tried one after the other, each is sent until that is known, and only asked from then on
 * given one of them that fits later, it is sent with a whole block; other calls of its method get their limit
 * given a method whose calls needed more, it is given no more than a block, and less again once calls in a row used little
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { MinedCall } from '#adapters/chain/failure.ts'
import { type GasRoom, openGasRoom } from '#adapters/chain/gas-room.ts'
import { type Rpc, RpcError } from '#adapters/chain/rpc.ts'
import { isRotaError } from '#base/errors.ts'
import { address } from '#base/ids.ts'

const BLOCK = 40_000
const LIMIT = 12_000
const to = address(`0x${'22'.repeat(20)}`)
const call = (data: string): MinedCall => ({ from: address(`0x${'11'.repeat(20)}`), to, data, gas: LIMIT })

/** A chain whose answer to calls that are only asked is in `fits`. */
function chain() {
  const fits = { yes: false }
  const answer = (method: string) => {
    if (method === 'eth_call' && !fits.yes) throw new RpcError('eth_call', { code: -32_000, message: 'out of gas' })
    return { gasLimit: `0x${BLOCK.toString(16)}` }
  }
  return { fits, room: openGasRoom({ call: async (method: string) => answer(method) } as unknown as Rpc) }
}

/** Sends it until it is enough, or until no block holds it. @returns with how much gas it was sent, each time */
async function sent(room: GasRoom, each: MinedCall, needs: number): Promise<number[]> {
  const gas: number[] = []
  try {
    for (;;) {
      gas.push(await room.give(each))
      if ((gas.at(-1) as number) >= needs) break
      await room.widen(each)
    }
    room.done(each, needs)
  } catch (error) {
    if (!isRotaError(error, 'ROTA-5018')) throw error
  }
  return gas
}

describe('room for gas', () => {
  it('remembers every call for which a whole block is too small', async () => {
    const { room } = chain()
    const [tick, attest] = [call('0xaaaaaaaa01'), call('0xbbbbbbbb01')]
    for (const each of [tick, attest]) assert.deepEqual(await sent(room, each, 50_000), [LIMIT, 2 * LIMIT, BLOCK])
    for (const each of [tick, attest, tick, attest]) assert.deepEqual(await sent(room, each, 50_000), [], 'asked, and not sent')
  })

  it('gives other calls of the method no more for it, and the call itself a block once it fits', async () => {
    const { room, fits } = chain()
    await sent(room, call('0xaaaaaaaa01'), 50_000)
    assert.deepEqual(await sent(room, call('0xaaaaaaaa02'), 100), [LIMIT])
    fits.yes = true
    assert.deepEqual(await sent(room, call('0xaaaaaaaa01'), 100), [BLOCK])
    assert.deepEqual(await sent(room, call('0xaaaaaaaa03'), 100), [LIMIT])
  })

  it('gives a method what it needed, and less again once that is too much', async () => {
    const { room } = chain()
    assert.deepEqual(await sent(room, call('0xaaaaaaaa01'), 30_000), [LIMIT, 2 * LIMIT, BLOCK])
    for (let n = 2; n < 20; n++) assert.deepEqual(await sent(room, call(`0xaaaaaaaa${n}`), 30_000), [BLOCK], 'at once')
    const given: number[] = []
    for (let n = 20; n < 30; n++) given.push(...(await sent(room, call(`0xaaaaaaaa${n}`), 100)))
    assert.deepEqual(given, [BLOCK, BLOCK, BLOCK, BLOCK, 2 * LIMIT, 2 * LIMIT, 2 * LIMIT, 2 * LIMIT, LIMIT, LIMIT])
  })

  it('forgets the oldest of very many', async () => {
    const { room } = chain()
    for (let n = 0; n < 40; n++) await sent(room, call(`0xaaaaaaaa${n}`), 50_000)
    assert.deepEqual(await sent(room, call('0xaaaaaaaa0'), 50_000), [LIMIT, 2 * LIMIT, BLOCK])
  })
})
