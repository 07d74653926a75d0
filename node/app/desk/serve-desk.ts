import { resolve } from 'node:path'
import type { EthersChain } from '#adapters/chain/ethers-chain.ts'
import type { LogOptions } from '#adapters/host/log.ts'
import { createSystemHost } from '#adapters/host/system-host.ts'
import { type PasswordSource, readPassword } from '#adapters/vault/password.ts'
import { type DeskConfig, readConfig } from '#app/site/config.ts'
import { openSiteFolder, passwordSource, type SiteFolder } from '#app/site/site-folder.ts'
import type { Host } from '#ports/host.ts'
import type { DeskParts } from '#web/desk/desk-app.ts'
import { startDesk } from '#web/desk/desk-server.ts'
import { Looks } from '#web/desk/looks.ts'
import { SignIn } from '#web/desk/sign-in.ts'
import { signInService } from '#web/desk/sign-in-service.ts'
import { readListen } from '#web/listening.ts'
import { pageFiles } from '#web/portal/page-files.ts'
import { declareLooks } from './declare-looks.ts'
import { keepCounting } from './desk-figures.ts'
import { openDeskLog, openDeskUsers } from './desk-files.ts'
import { deskWork } from './desk-work.ts'

export interface DeskOptions {
  readonly folder: string
  readonly password: PasswordSource | null
  /** ADDRESS:PORT, or a port of 127.0.0.1. */
  readonly listen: string
  readonly log: LogOptions
  readonly signal: AbortSignal
}

/** What a person (or --json) is told when the desk can be used. */
export interface DeskStarted {
  readonly event: 'started'
  readonly url: string
  readonly site: string
  /** Accounts; without one nobody can sign in. */
  readonly users: number
}

/** Where rota.yaml says nothing. */
const DEFAULTS: DeskConfig = { looksPerHour: 60, importedPerHour: 1_000 }

/** Serves the desk until the signal aborts. @throws ROTA-12xx, 13xx the folder; 6515 no address, 6711 it is taken, 6712 no TLS */
export async function runDesk({ folder: dir, password, listen, log, signal }: DeskOptions, tell: (event: DeskStarted) => void): Promise<void> {
  // Read once: the keys are opened again for each act, and a file descriptor gives its line only once.
  const source = { text: readPassword(passwordSource(await readConfig(dir), dir, password)) }
  const folder = await openSiteFolder(dir, source)
  const host = createSystemHost(log)
  const work = deskWork(folder, { folder: dir, password: source, signal })
  try {
    const users = openDeskUsers(folder)
    const deskLog = openDeskLog(folder)
    const partsAt = await deskParts(folder, host, { users, log: deskLog, work })
    const server = await startDesk(readListen(listen), folder.config.desk?.url ?? null, partsAt)
    work.programmes().catch(() => undefined) // so that the first patient does not wait for it
    tell({ event: 'started', url: server.url, site: folder.config.name, users: (await users.list()).length })
    host.log.info('desk.started', { url: server.url })
    const declare = async (send: (chain: EthersChain) => Promise<void>) => (await work.chain.read((chain) => send(chain).then(() => true))) ?? false
    const declaring = declareLooks({ log: deskLog, putAway: deskLog.putAway, declare, clock: host.clock, notes: host.log }, signal)
    const counting = keepCounting({ paths: folder.paths, log: deskLog, url: server.url, clock: host.clock }, signal)
    await untilAborted(signal)
    await server.stop()
    await Promise.all([declaring, counting])
  } finally {
    await work.stop()
    host.stop()
  }
}

/** All but what needs the address, which is known once the desk listens. */
async function deskParts(folder: SiteFolder, host: Host, known: Pick<DeskParts, 'users' | 'log' | 'work'>): Promise<(url: URL) => DeskParts> {
  const { desk = DEFAULTS, desk: { oidc } = DEFAULTS } = folder.config
  const { clock, log: notes } = host
  const looks = await Looks.open({ log: known.log, clock, notes, limits: desk })
  const signIn = await SignIn.open({ users: known.users, log: known.log, clock })
  const assets = await pageFiles('desk')
  const secretFile = oidc?.clientSecretFile
  const clientSecret = secretFile === undefined ? undefined : readPassword({ file: resolve(folder.paths.folder, secretFile) })
  return (url) => {
    const service = oidc === undefined ? null : signInService({ ...oidc, clientSecret }, { deskUrl: url, users: known.users, log: known.log, clock })
    return { ...known, place: { url }, looks, signIn, service, clock, notes, assets }
  }
}

const untilAborted = (signal: AbortSignal): Promise<void> =>
  signal.aborted ? Promise.resolve() : new Promise((done) => signal.addEventListener('abort', () => done(), { once: true }))
