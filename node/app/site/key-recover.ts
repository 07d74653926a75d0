import { membership, readRecovery, readSiteOf } from '#adapters/chain/membership.ts'
import { systemRandom } from '#adapters/host/system-host.ts'
import { lockFolder } from '#adapters/journal/folder-lock.ts'
import { drawNextAccount, drawNextNode, forgetNext, takePlace } from '#adapters/vault/next-keys.ts'
import { type PasswordSource, readPassword } from '#adapters/vault/password.ts'
import { openAccount, vaultPath } from '#adapters/vault/site-vault.ts'
import { withReader } from '#app/chain/chain-reader.ts'
import type { StudyCall } from '#app/study/studies.ts'
import { RotaError } from '#base/errors.ts'
import type { Address, SiteId } from '#base/ids.ts'
import type { SiteRecord } from '#ports/chain.ts'
import { noteInCard, waitingKeys } from './key-rotate.ts'
import { openSiteFolder, passwordSource, type SiteFolder } from './site-folder.ts'

export interface RecoverCall extends StudyCall {
  readonly recoveryPassword: PasswordSource | null
  readonly stewardPassword: PasswordSource | null
}

/** `started`, `waiting`: the new accounts hold from `readyAt` (chain time, seconds) on, once this is called again. */
export interface Recovery {
  readonly state: 'started' | 'waiting' | 'finished'
  readonly site: SiteId
  readonly node: Address
  readonly steward: Address
  readonly readyAt: number
}

/**
 * Puts other accounts in the place of node and steward, as the recovery account: asks the contract, and after its 48 hours finishes. The same call does both.
 * @throws ROTA-1307 while the node runs, ROTA-13xx keystores, ROTA-1204 when the recovery account is no member's, ROTA-5xxx
 */
export async function recoverSite(call: RecoverCall): Promise<Recovery> {
  const folder = await openSiteFolder(call.folder, call.password)
  const { paths, config } = folder
  const lock = await lockFolder(paths.state)
  try {
    const password = readPassword(passwordSource(config, call.folder, call.password))
    const recovery = await openAccount(paths.recovery, call.recoveryPassword === null ? password : readPassword(call.recoveryPassword))
    const node = await drawNextNode(paths.folder, password, systemRandom)
    const steward = await drawNextAccount(paths.steward, call.stewardPassword === null ? password : readPassword(call.stewardPassword), systemRandom)
    const found = await withReader(config, call.signal, async (chain): Promise<Recovery> => {
      const done = await readSiteOf(chain.link, node)
      const own = done ?? (await readSiteOf(chain.link, recovery.address))
      if (own === null) throw new RotaError('ROTA-1204', { account: recovery.address })
      const desk = membership(chain.link, recovery.privateKey)
      const base = { site: own.site, node, steward }
      if (done !== null) return { ...base, state: 'finished', readyAt: 0 }
      const asked = await readRecovery(chain.link, own.site)
      if (asked === null || asked.node !== node || asked.steward !== steward) {
        await desk.startRecovery(own.site, { node, steward, recovery: recovery.address })
        return { ...base, state: 'started', readyAt: (await readRecovery(chain.link, own.site))?.readyAt ?? 0 }
      }
      if ((await chain.head()).timestamp < asked.readyAt) return { ...base, state: 'waiting', readyAt: asked.readyAt }
      await desk.finishRecovery(own.site)
      return { ...base, state: 'finished', readyAt: asked.readyAt }
    })
    if (found.state !== 'finished') return found
    return { ...found, ...(await settle(folder, found.site, call.signal)) }
  } finally {
    await lock.release()
  }
}

/** What the chain names takes its place; what it does not name, as after an interruption between the two, is forgotten. */
async function settle(folder: SiteFolder, site: SiteId, signal: AbortSignal): Promise<{ readonly node: Address; readonly steward: Address }> {
  const sites = await withReader(folder.config, signal, (chain) => chain.sites())
  const { node, steward } = sites.find(({ id }) => id === site) as SiteRecord
  const waiting = await waitingKeys(folder)
  await (waiting.steward === steward ? takePlace : forgetNext)(folder.paths.steward)
  await (waiting.node === node ? takePlace : forgetNext)(vaultPath(folder.paths.folder))
  await noteInCard(folder, { node, steward })
  return { node, steward }
}

/**
 * Stops a recovery that the site did not ask for, or no longer wants, as the steward.
 * @throws ROTA-13xx keystore, ROTA-1204 when the steward's account is no member's, ROTA-5xxx when there is none under way
 */
export async function cancelRecovery(call: StudyCall & { readonly stewardPassword: PasswordSource | null }): Promise<{ readonly site: SiteId }> {
  const { config, paths } = await openSiteFolder(call.folder, call.password)
  const steward = await openAccount(paths.steward, readPassword(call.stewardPassword ?? passwordSource(config, call.folder, call.password)))
  const site = await withReader(config, call.signal, async (chain) => {
    const own = await readSiteOf(chain.link, steward.address)
    if (own === null) throw new RotaError('ROTA-1204', { account: steward.address })
    await membership(chain.link, steward.privateKey).cancelRecovery(own.site)
    return own.site
  })
  await forgetNext(vaultPath(paths.folder))
  await forgetNext(paths.steward)
  return { site }
}
