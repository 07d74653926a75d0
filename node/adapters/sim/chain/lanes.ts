/** Lanes.sol: eight numbers of 31 bits in one word. */
const LANES = [0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n]
const FULL = (1n << 31n) - 1n

const laneOf = (word: bigint, lane: bigint): bigint => (word >> (32n * lane)) & 0xffffffffn

/** Lane by lane; one that would pass what it can hold stays there. */
export function addLanes(spent: bigint, charge: bigint): bigint {
  return LANES.reduce((word, lane) => {
    const sum = laneOf(spent, lane) + laneOf(charge, lane)
    return word | ((sum > FULL ? FULL : sum) << (32n * lane))
  }, 0n)
}

/** Whether some lane is at most its limit. */
export const isWithin = (spent: bigint, limit: bigint): boolean => LANES.some((lane) => laneOf(spent, lane) <= laneOf(limit, lane))

export const isCharge = (word: bigint): boolean => LANES.every((lane) => laneOf(word, lane) >= 1n && laneOf(word, lane) <= FULL)

export const isLimit = (word: bigint): boolean => LANES.every((lane) => laneOf(word, lane) < FULL)
