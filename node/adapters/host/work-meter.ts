import type { Apart } from '#ports/host.ts'

/**
 * Processor time of this program's own thread, training apart: what adding up, checking, hashing, masking and serving others cost, and nothing that was
 * waited for. Neural networks are trained by another thread or process, regressions and statistics on this one. Before Node 22.19 a system tells the
 * time of all threads together only: a network that trains in one of them is then counted in it.
 */
export interface WorkMeter {
  totalMs(): number
  readonly training: Apart
}

export function createWorkMeter(spentMs: () => number = threadMs): WorkMeter {
  let trainedMs = 0
  return {
    totalMs: () => spentMs() - trainedMs,
    training(work) {
      const before = spentMs()
      try {
        return work()
      } finally {
        trainedMs += spentMs() - before
      }
    },
  }
}

function threadMs(): number {
  const { user, system } = typeof process.threadCpuUsage === 'function' ? process.threadCpuUsage() : process.cpuUsage()
  return (user + system) / 1000
}
