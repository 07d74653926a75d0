import { RotaError } from '#base/errors.ts'

/** What is wrong at one site now. Outlives the site's lives: a full disk is full after a restart too. */
export class Trouble {
  /** The site's clock minus the world's, in milliseconds. */
  offsetMs = 0
  /** Each thing that the site does takes so much longer. */
  slowMs = 0
  /** Nothing more can be written. */
  diskFull = false
  /** It can be written to, and is too full for new work. */
  diskFilling = false
  /** Its engineer has announced maintenance. */
  resting = false
  endpoint: EndpointState = UP
  /** Called when an endpoint that was away is back: who listens looks again. */
  readonly #waiting = new Set<() => void>()

  onBack(wake: () => void): () => void {
    this.#waiting.add(wake)
    return () => this.#waiting.delete(wake)
  }

  wake(): void {
    for (const wake of this.#waiting) wake()
  }

  /** @throws ROTA-1306 (retry), as a disk without space does; nothing of what was to be written remains */
  checkDisk(file: string): void {
    if (this.diskFull) throw new RotaError('ROTA-1306', { file, reason: 'ENOSPC' })
  }
}

/**
 * The site's way to the chain. `away`: nothing comes through. `behind`: it shows the chain as it was `byMs` to twice as long ago.
 * `forgetful`: what is sent is mined, and nobody says so. `other-chain`: another one stands behind it, under the same id.
 */
export type EndpointState =
  | { readonly kind: 'up' }
  | { readonly kind: 'away' }
  | { readonly kind: 'behind'; readonly byMs: number }
  | { readonly kind: 'forgetful' }
  | { readonly kind: 'other-chain' }

export const UP: EndpointState = { kind: 'up' }
