import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { stringify } from 'yaml'
import { z } from 'zod'
import { RotaError } from '#base/errors.ts'
import { USUAL_REQUESTS } from '#web/portal/rate-limit.ts'
import { checkYaml, parseYaml } from '../yaml-file.ts'

/** A site's one config file, `rota.yaml` in its data folder. Paths in it are relative to that folder. */
export interface SiteConfig {
  readonly name: string
  /** JSON-RPC endpoint of the chain: ws:// or wss:// (http(s):// is polled). */
  readonly chain: string
  /** Address of the network's directory contract; empty before the network exists. */
  readonly contracts: string
  /** Id of the chain that the network is on, noted by `rota join`: an endpoint of another chain is refused. */
  readonly chainId?: number | undefined
  /** When a block of the chain counts: at once, under so many others, or when the chain calls it final. */
  readonly chainFinality?: 'instant' | 'finalized' | number | undefined
  /** A second endpoint of the chain, run by somebody else: the node acts on nothing that it does not say too. */
  readonly chainWitness?: string | undefined
  readonly data: {
    readonly file: string
    readonly mapping?: string | undefined
    /** Name of the privacy budget that these rows spend from, in all studies; for rows of other people another. Default: patients. */
    readonly dataset?: string | undefined
  }
  /** Addresses to listen on, as multiaddrs; empty for a site that only dials out. */
  readonly listen: readonly string[]
  /** Addresses that others dial, when they are not those listened on (behind a proxy or NAT). */
  readonly announce: readonly string[]
  /** Members whose relay this site can be reached through, when it listens nowhere. */
  readonly relay: boolean
  /** The hospital's own IPFS nodes: they may fetch what lies here, and are asked for what no member has. */
  readonly bitswap?: { readonly peers: readonly string[]; readonly listen: readonly string[] } | undefined
  readonly web: { readonly port: number }
  /** Patients' page, relay and proofs, served by `rota run` and `rota portal`; without it by `rota portal` alone. */
  readonly portal?: PortalConfig | undefined
  /** The desk, `rota desk`: its address behind a proxy, its limits, and the hospital's own sign-in service. */
  readonly desk?: DeskConfig | undefined
  /** File that holds the vault's password; else it is asked for by option. */
  readonly passwordFile?: string | undefined
}

export interface PortalConfig {
  /** HOST:PORT. */
  readonly listen: string
  /** The patient's page as cards name it; default: the first portal of the programme's terms. */
  readonly page?: string | undefined
  /** Portals of other members, besides those that the terms name. */
  readonly others: readonly string[]
  /** A proxy on this machine stands before it and says in X-Forwarded-For who asks. */
  readonly behindProxy: boolean
  /** From one address; a clinic's many patients may have one. */
  readonly requestsPerMinute: number
  /** The longest that this relay keeps a withdrawal back, where that is shorter than the terms allow. */
  readonly longestDelaySeconds?: number | undefined
}

export interface DeskConfig {
  /** As the browser calls the desk: https://… when a proxy stands before it. */
  readonly url?: string | undefined
  /** People that one steward may look at within an hour. */
  readonly looksPerHour: number
  /** People that one steward may import within an hour. */
  readonly importedPerHour: number
  /** OpenID Connect; `claim` names the account. */
  readonly oidc?: { readonly issuer: string; readonly clientId: string; readonly clientSecretFile?: string | undefined; readonly claim: string } | undefined
}

export const CONFIG_FILE = 'rota.yaml'

const endpoint = z.string().regex(/^(wss?|https?):\/\//, 'must begin with ws://, wss://, http:// or https://')

const webUrl = z.string().regex(/^https?:\/\/[^/?#]+\/?$/, 'must be https://HOST or http://HOST, without a path')

const portal = z.strictObject({
  listen: z.string().regex(/^(\[[0-9a-fA-F:]+\]|[\w.-]+):\d{1,5}$/, 'must be HOST:PORT, such as 127.0.0.1:8081'),
  page: z.url({ protocol: /^https?$/ }).optional(),
  others: z.array(z.url({ protocol: /^https?$/ })).default([]),
  behindProxy: z.boolean().default(false),
  requestsPerMinute: z.number().int().min(60).max(100_000).default(USUAL_REQUESTS),
  longestDelaySeconds: z.number().positive().optional(),
})

const desk = z.strictObject({
  url: webUrl.optional(),
  looksPerHour: z.number().int().min(1).max(100_000).default(60),
  importedPerHour: z.number().int().min(1).max(1_000_000).default(1_000),
  oidc: z
    .strictObject({
      issuer: z.url({ protocol: /^https?$/ }),
      clientId: z.string().min(1),
      clientSecretFile: z.string().optional(),
      claim: z.string().default('preferred_username'),
    })
    .optional(),
})

export const schema = z.strictObject({
  name: z.string().min(1).max(64),
  chain: endpoint,
  contracts: z.union([z.literal(''), z.string().regex(/^0x[0-9a-fA-F]{40}$/, 'must be an address: 0x and 40 hex digits')]),
  chainId: z.number().int().positive().optional(),
  chainFinality: z
    .union([z.enum(['instant', 'finalized']), z.number().int().min(1).max(1_000)], 'must be instant, finalized, or a number of blocks from 1 to 1000')
    .optional(),
  chainWitness: endpoint.optional(),
  data: z.strictObject({ file: z.string().min(1), mapping: z.string().optional(), dataset: z.string().min(1).max(64).optional() }),
  listen: z.array(z.string()).default([]),
  announce: z.array(z.string()).default([]),
  relay: z.boolean().default(false),
  bitswap: z.strictObject({ peers: z.array(z.string()).min(1), listen: z.array(z.string()).default([]) }).optional(),
  web: z.strictObject({ port: z.number().int().min(0).max(65535) }).default({ port: 0 }),
  portal: portal.optional(),
  desk: desk.optional(),
  passwordFile: z.string().optional(),
})

/** @throws ROTA-1201 when there is none, else as checkConfig */
export async function readConfig(folder: string): Promise<SiteConfig> {
  const path = join(folder, CONFIG_FILE)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    throw new RotaError('ROTA-1201', { path, folder: resolve(folder) }, cause)
  }
  return checkConfig(text, path)
}

/** @throws ROTA-3041 no YAML, 3042 a key that is not known (the nearest is named), 3043 a value that is not as it should be; each with its line */
export const checkConfig = (text: string, path: string): SiteConfig => checkYaml(parseYaml(text, path), schema)

export const writeConfigText = (config: SiteConfig): string => `# Rota: one hospital's node. See docs/operating.md.\n${stringify(config)}`
