const RATIO = (Math.sqrt(5) - 1) / 2

/** Where f(x), which falls and then rises, is least between `low` and `high`: golden-section search on the logarithm of x. */
export function smallestAt(f: (x: number) => number, low: number, high: number): number {
  let [a, b] = [Math.log(low), Math.log(high)]
  let [c, d] = [b - RATIO * (b - a), a + RATIO * (b - a)]
  let [fc, fd] = [f(Math.exp(c)), f(Math.exp(d))]
  while (b - a > 1e-4) {
    if (fc <= fd) {
      ;[b, d, fd] = [d, c, fc]
      c = b - RATIO * (b - a)
      fc = f(Math.exp(c))
    } else {
      ;[a, c, fc] = [c, d, fd]
      d = a + RATIO * (b - a)
      fd = f(Math.exp(d))
    }
  }
  return Math.exp((a + b) / 2)
}
