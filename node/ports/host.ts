/** Clock, randomness and log: what a program takes from its machine. */
export interface Host {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

export interface Clock {
  /** Milliseconds since the epoch. */
  nowMs(): number
  /** @throws the signal's reason when it aborts first */
  sleep(ms: number, signal: AbortSignal): Promise<void>
}

/** Does the work at once, so that what it takes can be told apart. */
export type Apart = <T>(work: () => T) => T

/** Cryptographically secure outside the simulator. */
export interface Random {
  /** Fresh memory: who draws may free it. */
  bytes(length: number): Uint8Array
}

export interface Log {
  info(event: string, fields?: LogFields): void
  warn(event: string, fields?: LogFields): void
  error(event: string, fields?: LogFields): void
  debug(event: string, fields?: LogFields): void
}

/** Only names on the log's allow-list are written; see adapters/host. Values are never a patient's. */
export type LogFields = Readonly<Record<string, string | number | boolean | bigint | null | undefined>>
