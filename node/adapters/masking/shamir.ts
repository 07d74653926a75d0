import { combine, split } from 'shamir-secret-sharing'

/**
 * Shares of the library's own randomness, which is the system's; the last byte of a share is its place, drawn at random. Its tables are read by secret
 * values: it does not promise a constant time, and runs on the dealer's own machine, or on secrets that are being made public.
 */
export const splitSecret = (secret: Uint8Array, shares: number, threshold: number): Promise<readonly Uint8Array[]> =>
  split(Uint8Array.from(secret), shares, threshold)

/** Undefined for shares of different lengths or of one place. */
export async function combineShares(shares: readonly Uint8Array[]): Promise<Uint8Array | undefined> {
  try {
    // The library takes no Buffer.
    return await combine(shares.map((share) => Uint8Array.from(share)))
  } catch {
    return undefined
  }
}
