import { RotaError } from '#base/errors.ts'
import { checkDelta, checkEpsilon, checkMechanism, type SampledGaussian } from './mechanism.ts'
import { rdpOf } from './rdp.ts'
import { conversionOf } from './rdp-epsilon.ts'

/**
 * Privacy as the chain counts it: RDP at eight fixed orders in one 256-bit word, a lane of 32 bits each, the first order in the lowest bits.
 *
 *     255       224                    63        32 31         0
 *     ├─ order 36 ┤  …                  ├─ order 3 ─┤├─ order 2 ─┤      lane = RDP · 2^24, rounded up; 0 … 2^31 − 1
 *
 * A lane never uses its highest bit, so that the contract adds all eight with one addition and compares all eight with one subtraction:
 *
 *     sum    = spent + charge                        no carry leaves a lane
 *     full   = sum & TOPS                            lanes beyond 2^31 − 1 …
 *     spent  = (sum & ~TOPS) | (full − (full >> 31)) … stay at 2^31 − 1 for good
 *     within = ((limit | TOPS) − spent) & TOPS ≠ 0   some lane is at most its limit
 *
 * Epsilon is the least over the orders of RDP + c(order, delta), so it is within the limit as soon as one lane is. Charges are rounded up and limits
 * down: the chain never counts less than was spent. Rounding costs 6e-8 a charge and order; eight orders instead of all cost 3 % of epsilon (mean).
 */
export const CHAIN_ORDERS: readonly number[] = [2, 3, 4, 6, 10, 14, 22, 36]

const LANE_BITS = 32n
/** Lanes count in units of 2^-24. */
export const LANE_UNIT = 2 ** 24
/** A lane that holds this can no longer be told from one that holds more: no limit reaches it. */
export const FULL_LANE = 2 ** 31 - 1
/** Limits up to here fit below a full lane. */
export const MOST_CHAIN_EPSILON = 100

/** The highest bit of each lane. */
const TOPS = wordOfLanes(CHAIN_ORDERS.map(() => 2 ** 31))

/** Rounding in the float sums is far below this share of them. */
const FLOAT_ERROR = 1e-9

/**
 * What one round costs: `rdpWord` of a policy. At least one unit in each lane, so that nothing is free.
 * @throws ROTA-2353 to ROTA-2355
 */
export function rdpWord(mechanisms: readonly SampledGaussian[]): bigint {
  mechanisms.forEach(checkMechanism)
  return wordOfLanes(CHAIN_ORDERS.map((order) => laneUp(rdpOf(mechanisms, order))))
}

/** RDP in lane units, rounded up. */
export const laneUp = (rdp: number): number => Math.min(FULL_LANE, Math.max(1, Math.ceil(rdp * (1 + FLOAT_ERROR) * LANE_UNIT)))

/**
 * How much each lane may hold for (epsilon, delta); 0 where the order can never stay below, as its conversion alone costs more than epsilon.
 * @throws ROTA-2351, ROTA-2352, ROTA-2360 when epsilon does not fit into lanes, or no order leaves room
 */
export function limitWord(epsilon: number, delta: number): bigint {
  checkEpsilon(epsilon)
  checkDelta(delta)
  const lanes = CHAIN_ORDERS.map((order) => laneDown(epsilon - conversionOf(order, delta)))
  if (epsilon > MOST_CHAIN_EPSILON || lanes.every((lane) => lane === 0)) throw new RotaError('ROTA-2360', { epsilon, delta, most: MOST_CHAIN_EPSILON })
  return wordOfLanes(lanes)
}

const laneDown = (rdp: number): number => Math.min(FULL_LANE - 1, Math.max(0, Math.floor(rdp * (1 - FLOAT_ERROR) * LANE_UNIT)))

/** Adds a charge as the contract does. @param spent lanes below 2^31, as all words here are */
export function addWord(spent: bigint, charge: bigint): bigint {
  const sum = spent + charge
  const full = sum & TOPS
  return (sum & ~TOPS) | (full - (full >> (LANE_BITS - 1n)))
}

/** Whether some order is within its limit, as the contract asks. */
export const isWithin = (spent: bigint, limit: bigint): boolean => (((limit | TOPS) - spent) & TOPS) !== 0n

/** Whether each lane of `a` is at least that of `b`: whoever is charged `a` has paid for `b`. */
export function covers(a: bigint, b: bigint): boolean {
  const lanes = lanesOfWord(b)
  return lanesOfWord(a).every((lane, i) => lane >= (lanes[i] as number))
}

/** The epsilon that a word of spent privacy stands for at `delta`; Infinity when all lanes are full. */
export function epsilonOfWord(spent: bigint, delta: number): number {
  checkDelta(delta)
  if (spent === 0n) return 0
  const epsilons = lanesOfWord(spent).map((lane, i) =>
    lane === FULL_LANE ? Number.POSITIVE_INFINITY : (lane / LANE_UNIT) * (1 + FLOAT_ERROR) + conversionOf(CHAIN_ORDERS[i] as number, delta) + FLOAT_ERROR,
  )
  return Math.max(0, Math.min(...epsilons))
}

/** The first lane is the lowest. */
export function wordOfLanes(lanes: readonly number[]): bigint {
  return lanes.reduce((word, lane, i) => word | (BigInt(lane) << (LANE_BITS * BigInt(i))), 0n)
}

export const lanesOfWord = (word: bigint): number[] => CHAIN_ORDERS.map((_, i) => Number((word >> (LANE_BITS * BigInt(i))) & 0xffffffffn))
