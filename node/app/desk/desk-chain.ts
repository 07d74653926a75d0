import type { EthersChain } from '#adapters/chain/ethers-chain.ts'
import { connectSite, type SiteFolder } from '#app/site/site-folder.ts'
import { isRotaError, RotaError } from '#base/errors.ts'

/** A person waits at the desk: what the chain does not say within this time is told as unknown. */
export const PATIENCE_MS = 5_000
/** Nobody waits for it again so soon after it did not answer. */
const AWAY_MS = 5_000

/** The chain as the desk reads it: connected when it is first needed, kept, and connected anew after a fault. */
export interface DeskChain {
  /** Null when the chain does not answer in time. */
  read<T>(work: (chain: EthersChain) => Promise<T>): Promise<T | null>
  /** The same for what opens the site by itself. @throws ROTA-5001, or what `work` throws */
  inTime<T>(work: () => Promise<T>): Promise<T>
  /** Somebody else found out: nobody need wait for it right now. */
  noteAway(): void
  /** It did not answer somebody a moment ago. */
  isAway(): boolean
  stop(): Promise<void>
}

export function deskChain(folder: SiteFolder, signal: AbortSignal): DeskChain {
  let connected: Promise<EthersChain> | null = null
  let awayUntilMs = 0
  const late = () => new RotaError('ROTA-5001', { url: folder.config.chain, method: 'the desk waits no longer' })
  const drop = async (): Promise<void> => {
    const old = connected
    connected = null
    await old?.then((chain) => chain.stop()).catch(() => undefined)
  }
  const noteAway = (): void => {
    awayUntilMs = Date.now() + AWAY_MS
  }
  const isAway = (): boolean => Date.now() < awayUntilMs
  const inTime = async <T>(work: () => Promise<T>): Promise<T> => {
    if (isAway()) throw late()
    try {
      return await within(work(), late)
    } catch (error) {
      if (isRotaError(error) && error.reaction === 'retry') noteAway()
      throw error
    }
  }
  return {
    inTime,
    async read(work) {
      try {
        return await inTime(() => (connected ??= connectSite(folder, signal)).then(work))
      } catch (error) {
        if (!isRotaError(error)) throw error
        void drop()
        return null
      }
    },
    noteAway,
    isAway,
    stop: drop,
  }
}

async function within<T>(work: Promise<T>, late: () => RotaError): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), PATIENCE_MS)
  })
  work.catch(() => undefined)
  try {
    return await Promise.race([work, tooLate])
  } finally {
    clearTimeout(timer)
  }
}
