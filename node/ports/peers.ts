import type { SiteId } from '#base/ids.ts'

/** Direct talk with one member: reachability, clock, version. `doctor` and the clock alarm use it. */
export interface Peers {
  /** @throws ROTA-4xxx when the member cannot be reached */
  hello(site: SiteId, signal: AbortSignal): Promise<Hello>
}

export interface Hello {
  readonly rttMs: number
  /** The member's clock minus ours, from the middle of the round trip. */
  readonly clockOffsetMs: number
  readonly softwareVersion: string
  readonly arithmeticVersion: string
}
