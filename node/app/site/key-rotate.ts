import { membership, readSiteOf } from '#adapters/chain/membership.ts'
import { systemRandom } from '#adapters/host/system-host.ts'
import { writeAtomic } from '#adapters/journal/atomic-file.ts'
import { lockFolder } from '#adapters/journal/folder-lock.ts'
import { drawNextAccount, drawNextNode, nextAccount, takePlace } from '#adapters/vault/next-keys.ts'
import { type PasswordSource, readPassword } from '#adapters/vault/password.ts'
import { openAccount, vaultPath } from '#adapters/vault/site-vault.ts'
import { withReader } from '#app/chain/chain-reader.ts'
import type { StudyCall } from '#app/study/studies.ts'
import { RotaError } from '#base/errors.ts'
import type { Address, SiteId } from '#base/ids.ts'
import { readCard } from './init-site.ts'
import { openSiteFolder, passwordSource, type SiteFolder } from './site-folder.ts'

export interface Rotated {
  readonly site: SiteId
  readonly role: 'node' | 'steward'
  readonly account: Address
}

/**
 * Puts another account in the place of the node's or the steward's, as the steward. The node must not run. What was interrupted is finished by doing it again.
 * @throws ROTA-1307 while the node runs, ROTA-13xx keystores, ROTA-1204 when the steward's account is no member's, ROTA-5xxx
 */
export async function rotateKey(call: StudyCall & { readonly role: 'node' | 'steward'; readonly stewardPassword: PasswordSource | null }): Promise<Rotated> {
  const folder = await openSiteFolder(call.folder, call.password)
  const { paths, config } = folder
  const lock = await lockFolder(paths.state)
  try {
    const nodePassword = readPassword(passwordSource(config, call.folder, call.password))
    const stewardPassword = call.stewardPassword === null ? nodePassword : readPassword(call.stewardPassword)
    const file = call.role === 'node' ? vaultPath(paths.folder) : paths.steward
    const steward = await openAccount(paths.steward, stewardPassword)
    const next =
      call.role === 'node' ? await drawNextNode(paths.folder, nodePassword, systemRandom) : await drawNextAccount(file, stewardPassword, systemRandom)
    const site = await withReader(config, call.signal, async (chain) => {
      const done = await readSiteOf(chain.link, next)
      const found = done ?? (await readSiteOf(chain.link, steward.address))
      if (found === null) throw new RotaError('ROTA-1204', { account: steward.address })
      const desk = membership(chain.link, steward.privateKey)
      if (done === null) await (call.role === 'node' ? desk.rotateNode(found.site, next) : desk.rotateSteward(found.site, next))
      return found.site
    })
    await takePlace(file)
    await noteInCard(folder, { [call.role]: next })
    return { site, role: call.role, account: next }
  } finally {
    await lock.release()
  }
}

/** The card is what a person hands on: it must not name an account that is gone. */
export async function noteInCard({ paths }: Pick<SiteFolder, 'paths'>, accounts: Partial<Record<'node' | 'steward', Address>>): Promise<void> {
  const card = await readCard(paths.card).catch(() => null)
  if (card !== null) await writeAtomic(paths.card, `${JSON.stringify({ ...card, ...accounts }, null, 2)}\n`)
}

/** The accounts that wait in a folder to take their place. */
export const waitingKeys = async ({ paths }: Pick<SiteFolder, 'paths'>): Promise<{ readonly node: Address | null; readonly steward: Address | null }> => ({
  node: await nextAccount(vaultPath(paths.folder)),
  steward: await nextAccount(paths.steward),
})
