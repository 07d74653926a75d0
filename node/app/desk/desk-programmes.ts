import { programmesWithTerms } from '#app/programme/terms-on-chain.ts'
import { atSite, heldProtocols } from '#app/site/at-site.ts'
import type { SiteFolder } from '#app/site/site-folder.ts'
import type { StudyCall } from '#app/study/studies.ts'
import { isRotaError } from '#base/errors.ts'
import type { DeskProgramme } from '#wire/desk-api.ts'
import type { DeskChain } from './desk-chain.ts'

/** Looked up on chain and in protocols this often. */
const FRESH_MS = 60_000

/**
 * Programmes under which this desk can act: of the site's record, of studies that lie here, and of terms on chain. While the chain is away,
 * those that were known before, and the record's.
 */
export function deskProgrammes(folder: SiteFolder, call: StudyCall, chain: DeskChain): () => Promise<readonly DeskProgramme[]> {
  let known: readonly DeskProgramme[] = []
  let untilMs = 0
  let looking: Promise<void> | null = null
  const look = async (): Promise<void> => {
    const found = await chain
      .inTime(() => programmesOnChain(call))
      .catch((error) => {
        if (isRotaError(error)) return null
        throw error
      })
    if (found === null) return
    known = found
    untilMs = Date.now() + FRESH_MS
  }
  return async () => {
    if (Date.now() >= untilMs || known.length === 0) {
      looking ??= look().finally(() => (looking = null))
      await looking
    }
    const recorded = (await folder.consents.programmes()).map((name): DeskProgramme => ({ name, lawfulBasis: null, terms: null }))
    return [...new Map([...recorded, ...known].map((programme) => [programme.name, programme])).values()].sort((a, b) => a.name.localeCompare(b.name))
  }
}

/** A programme of its own protocols is named by its terms where there are some. */
const programmesOnChain = (call: StudyCall): Promise<readonly DeskProgramme[]> =>
  atSite(call, async (site) => {
    const studied = [...(await heldProtocols(site, call.signal)).values()]
    const agreed = [...(await programmesWithTerms(site.chain)).values()]
    return [
      ...studied.map(({ programme, lawfulBasis }) => ({ name: programme, lawfulBasis, terms: null })),
      ...agreed.map(({ terms: { programme, lawfulBasis, version, expires, texts } }) => ({
        ...{ name: programme, lawfulBasis },
        terms: { version, expires, titles: Object.fromEntries(Object.entries(texts).map(([code, { title }]) => [code, title])) },
      })),
    ]
  })
