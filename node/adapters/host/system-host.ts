import { randomFillSync } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock, Host, Random } from '#ports/host.ts'
import { createLog, type HostLog, type LogOptions } from './log.ts'

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  async sleep(ms, signal) {
    try {
      await sleep(ms, undefined, { signal })
    } catch (error) {
      throw signal.aborted ? signal.reason : error
    }
  },
}

export const systemRandom: Random = { bytes: (length) => randomFillSync(new Uint8Array(length)) }

export interface SystemHost extends Host {
  readonly log: HostLog
  /** Closes the log file and no longer listens for SIGHUP. */
  stop(): void
}

/** The machine this program runs on. SIGHUP opens the log file again, so that logrotate can move it away. */
export function createSystemHost(options: LogOptions): SystemHost {
  const log = createLog(systemClock, options)
  const reopen = () => log.reopen()
  if (options.file !== undefined) process.on('SIGHUP', reopen)
  return {
    clock: systemClock,
    random: systemRandom,
    log,
    stop() {
      process.off('SIGHUP', reopen)
      log.close()
    },
  }
}
