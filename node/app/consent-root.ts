import { grantedRoot } from '#adapters/cohort/site-trees.ts'
import type { Digest } from '#base/ids.ts'
import { programmeId } from '#wire/programme.ts'
import type { AtSite } from './at-site.ts'
import { sha256 } from './sha256.ts'

/** Where the consents of a site stand on chain. */
export interface ConsentRoot {
  readonly epoch: number
  readonly root: Digest
  readonly block: number
}

export async function lastConsentRoot({ chain, own }: Pick<AtSite, 'chain' | 'own'>, programme: string): Promise<ConsentRoot | null> {
  const id = programmeId(programme, sha256)
  const events = await chain.events(0, { kinds: ['ConsentRoot'] })
  const last = events.findLast((e) => e.kind === 'ConsentRoot' && e.site === own.id && e.programme === id)
  return last?.kind === 'ConsentRoot' ? { epoch: last.epoch, root: last.root, block: last.block } : null
}

export const grantedRootNow = ({ folder }: Pick<AtSite, 'folder'>, programme: string): Promise<Digest> => grantedRoot(folder.vault, folder.consents, programme)

/** Puts the root over the consents that stand now on chain, under the next epoch; nothing to do where it is there already. */
export async function putConsentRoot(site: AtSite, programme: string): Promise<ConsentRoot & { readonly changed: boolean }> {
  const [root, last] = await Promise.all([grantedRootNow(site, programme), lastConsentRoot(site, programme)])
  if (last?.root === root) return { ...last, changed: false }
  await site.chain.consentRoot(programmeId(programme, sha256), (last?.epoch ?? 0) + 1, root)
  return { ...((await lastConsentRoot(site, programme)) as ConsentRoot), changed: true }
}
