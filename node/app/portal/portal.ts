import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { LogOptions } from '#adapters/host/log.ts'
import { createSystemHost, systemRandom } from '#adapters/host/system-host.ts'
import { diskError } from '#adapters/journal/atomic-file.ts'
import { type PasswordSource, readPassword } from '#adapters/vault/password.ts'
import { createAccount, openAccount } from '#adapters/vault/site-vault.ts'
import { contractsAddress, withReader } from '#app/chain/chain-reader.ts'
import { signerOf } from '#app/consent/receipt-issue.ts'
import { type AtSite, atSite } from '#app/site/at-site.ts'
import { fromHex } from '#base/bytes.ts'
import { isRotaError } from '#base/errors.ts'
import { address } from '#base/ids.ts'
import type { Log } from '#ports/host.ts'
import { readListen } from '#web/listening.ts'
import { Metrics } from '#web/metrics.ts'
import { USUAL_REQUESTS } from '#web/portal/rate-limit.ts'
import { startWeb, type Web } from '#web/server.ts'
import { lockPortal } from './portal-lock.ts'
import { watchPortal } from './relay-figures.ts'
import { type ServedPortal, servePortal } from './serve-portal.ts'

export interface PortalOptions {
  /** HOST:PORT; default: `portal.listen` of the config, else 127.0.0.1 and any free port. */
  readonly listen: string | undefined
  /** Seconds; a relay may promise less than the terms allow, never more. */
  readonly longestDelay: number | undefined
  readonly behindProxy: boolean
  readonly log: LogOptions
  readonly signal: AbortSignal
}

const ANY_PORT = '127.0.0.1:0'

/** Serves a site's portal until the signal aborts. @param started told once it listens */
export const runPortal = (
  options: PortalOptions & { readonly folder: string; readonly password: PasswordSource | null },
  started: (portal: { readonly url: string; readonly site: string }) => void,
): Promise<void> =>
  atSite(options, async (site) => {
    const host = createSystemHost(options.log)
    try {
      const portal = await portalOf(site, host.log, options)
      started({ url: portal.url, site: site.own.name })
      await aborted(options.signal)
      await portal.stop()
    } finally {
      host.stop()
    }
  })

/** A site's portal, in its node's process or beside it. */
export async function portalOf(site: AtSite, log: Log, options: Pick<PortalOptions, 'listen' | 'longestDelay' | 'behindProxy'>): Promise<ServedPortal> {
  const { folder, chain } = site
  const { account, nodeKey } = signerOf(site)
  const { portal } = folder.config
  const state = await ownFolder(folder.paths.portal)
  const lock = await lockPortal(state)
  try {
    const served = await servePortal({
      ...{ site, chain, state, log },
      listen: readListen(options.listen ?? portal?.listen ?? ANY_PORT),
      contracts: address(folder.config.contracts),
      endpoint: folder.config,
      key: { account, secret: nodeKey },
      others: portal?.others ?? [],
      behindProxy: options.behindProxy || portal?.behindProxy === true,
      requestsPerMinute: portal?.requestsPerMinute ?? USUAL_REQUESTS,
      longestDelayMs: delayMs(options.longestDelay ?? portal?.longestDelaySeconds),
    })
    return { ...served, stop: () => served.stop().finally(() => lock.release()) }
  } catch (error) {
    await lock.release()
    throw error
  }
}

export interface RelayOptions extends PortalOptions {
  readonly chain: string
  readonly contracts: string
  /** Made when there is none. */
  readonly keystore: string
  readonly password: PasswordSource
  readonly folder: string
  readonly others: readonly string[]
  /** Port of 127.0.0.1 for Prometheus. */
  readonly metrics: number | undefined
}

export interface RelayStarted {
  readonly url: string
  readonly account: string
  /** For Prometheus; null: not asked for. */
  readonly metrics: string | null
}

/** Serves a relay that belongs to no site until the signal aborts: anyone may run one. */
export async function runRelay(options: RelayOptions, started: (relay: RelayStarted) => void): Promise<void> {
  const contracts = contractsAddress(options.contracts)
  const password = readPassword(options.password)
  const account = await openAccount(options.keystore, password).catch((error: unknown) => {
    if (isRotaError(error, 'ROTA-1302') && isMissing(error.cause)) return createAccount(options.keystore, password, systemRandom)
    throw error
  })
  const state = await ownFolder(options.folder)
  const lock = await lockPortal(state)
  const host = createSystemHost(options.log)
  try {
    await withReader({ chain: options.chain, contracts }, options.signal, async (chain) => {
      const relay = await servePortal({
        ...{ chain, contracts, state, site: null, log: host.log, others: options.others, behindProxy: options.behindProxy },
        listen: readListen(options.listen ?? ANY_PORT),
        requestsPerMinute: USUAL_REQUESTS,
        endpoint: { chain: options.chain },
        key: { account: account.address, secret: fromHex(account.privateKey) },
        longestDelayMs: delayMs(options.longestDelay),
      })
      try {
        const metrics = options.metrics === undefined ? null : await relayMetrics(options.metrics, state)
        started({ url: relay.url, account: account.address, metrics: metrics === null ? null : `${metrics.url}/metrics` })
        await aborted(options.signal)
        await metrics?.stop()
      } finally {
        await relay.stop()
      }
    })
  } finally {
    host.stop()
    await lock.release()
  }
}

/** On a port of this machine of their own: beside what patients reach, their changes would tell who withdrew when. @throws ROTA-6406 when it is taken */
function relayMetrics(port: number, state: string): Promise<Web> {
  const metrics = new Metrics()
  watchPortal(metrics, { portalFigures: join(state, 'figures.json') })
  return startWeb({ port, metrics, health: null, blocks: null })
}

async function ownFolder(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((cause) => {
    throw diskError(folder, cause)
  })
  return folder
}

const isMissing = (cause: unknown): boolean => (cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT'
const delayMs = (seconds: number | undefined): number | null => (seconds === undefined ? null : seconds * 1000)

const aborted = (signal: AbortSignal): Promise<void> =>
  signal.aborted ? Promise.resolve() : new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
