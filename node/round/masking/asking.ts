import { isRotaError, nameOf } from '#base/errors.ts'
import type { SiteId } from '#base/ids.ts'
import { encodeLacking, type LackedKind, type Lacking } from '#wire/masking/lacking.ts'
import type { Site } from '../site.ts'
import { triedAgain } from '../tried-again.ts'

/**
 * Asks members for words that were lost on their way. Nothing on the chain names them before their round is keyed in, so they are asked of their author,
 * who is there if it is to key. Each is asked on its own, in the background.
 */
export interface Asking {
  /**
   * Asks those of `authors` of whom something is lacking, once it has had time to come by itself, until nothing is.
   * @param lackedOf what is lacking of an author now: asked anew before each question
   */
  follow(authors: readonly SiteId[], lackedOf: LackedOf): void
}

export type LackedOf = (author: SiteId) => readonly LackedKind[]

export interface AskingOptions extends Omit<Lacking, 'kinds'> {
  /** So long a word may be on its way. */
  readonly patienceMs: number
  /** Nobody needs the words any more. */
  readonly ended: AbortSignal
}

export function createAsking({ gossip, host }: Pick<Site, 'gossip' | 'host'>, { patienceMs, ended, ...of }: AskingOptions): Asking {
  let lackedOf: LackedOf = () => []
  const underWay = new Set<SiteId>()
  /** Of a version that answers no questions, or said what no answer is. */
  const mute = new Set<SiteId>()

  async function askUntilHere(author: SiteId): Promise<void> {
    underWay.add(author)
    await host.clock.sleep(patienceMs, ended).catch(() => undefined)
    await triedAgain(host, ended, () => askOnce(author))
    underWay.delete(author)
  }

  /** @returns whether there is nothing left to ask */
  async function askOnce(author: SiteId): Promise<boolean> {
    const kinds = lackedOf(author)
    if (ended.aborted || kinds.length === 0) return true
    try {
      await gossip.ask(author, encodeLacking({ ...of, kinds }), ended)
    } catch (error) {
      if (ended.aborted) return true
      if (isRotaError(error, 'ROTA-4005')) return false
      host.log.debug('masking.not-asked', { site: author, run: of.run, round: of.round, reason: nameOf(error) })
      mute.add(author)
    }
    return mute.has(author) || lackedOf(author).length === 0
  }

  return {
    follow(authors, lacked) {
      lackedOf = lacked
      for (const author of authors) if (!underWay.has(author) && !mute.has(author) && lacked(author).length > 0) void askUntilHere(author)
    },
  }
}
