import { createHash } from 'node:crypto'

/**
 * The order in which an epoch takes the rows: Fisher-Yates over unbiased draws from SHA-256(seed ‖ epoch ‖ counter),
 * so that a seed gives the same order on any backend and machine. Not for anything secret.
 */
export function rowOrder(rows: number, seed: Uint8Array, epoch: number): Uint32Array {
  const draw = drawFrom(seed, epoch)
  const order = Uint32Array.from({ length: rows }, (_, i) => i)
  for (let i = rows - 1; i > 0; i--) {
    const j = draw(i + 1)
    const kept = order[i] as number
    order[i] = order[j] as number
    order[j] = kept
  }
  return order
}

/** Numbers below `limit` ≤ 2^32, each equally likely: a draw from the ragged end of the range is thrown away. */
function drawFrom(seed: Uint8Array, epoch: number): (limit: number) => number {
  let block: Buffer = Buffer.alloc(0)
  let counter = 0
  let at = 0
  const next = (): number => {
    if (at === block.length) {
      const place = Buffer.alloc(8)
      place.writeUInt32BE(epoch, 0)
      place.writeUInt32BE(counter++, 4)
      block = createHash('sha256').update(seed).update(place).digest()
      at = 0
    }
    at += 4
    return block.readUInt32BE(at - 4)
  }
  return (limit) => {
    const whole = 2 ** 32 - (2 ** 32 % limit)
    let value = next()
    while (value >= whole) value = next()
    return value % limit
  }
}
