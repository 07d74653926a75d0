/** 2^k for k from -1022 to 1023, by doubling and halving, which is exact on every machine. */
const POWERS = new Float64Array(2046)
for (let k = 0, up = 1, down = 1; k <= 1023; k++, up *= 2, down /= 2) {
  POWERS[k + 1022] = up
  if (k <= 1022) POWERS[1022 - k] = down
}

/** @param k whole, from -1022 to 1023 */
export const powerOfTwo = (k: number): number => POWERS[k + 1022] as number
