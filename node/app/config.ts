import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parse, stringify } from 'yaml'
import { z } from 'zod'
import { RotaError } from '#base/errors.ts'

/** A site's one config file, `rota.yaml` in its data folder. Paths in it are relative to that folder. */
export interface SiteConfig {
  readonly name: string
  /** JSON-RPC endpoint of the chain: ws:// or wss:// (http(s):// is polled). */
  readonly chain: string
  /** Address of the network's directory contract; empty before the network exists. */
  readonly contracts: string
  /** Id of the chain that the network is on, noted by `rota join`: an endpoint of another chain is refused. */
  readonly chainId?: number | undefined
  readonly data: { readonly file: string; readonly mapping?: string | undefined }
  /** Addresses to listen on, as multiaddrs; empty for a site that only dials out. */
  readonly listen: readonly string[]
  /** Addresses that others dial, when they are not those listened on (behind a proxy or NAT). */
  readonly announce: readonly string[]
  /** Members whose relay this site can be reached through, when it listens nowhere. */
  readonly relay: boolean
  readonly web: { readonly port: number }
  /** File that holds the vault's password; else it is asked for by option. */
  readonly passwordFile?: string | undefined
}

export const CONFIG_FILE = 'rota.yaml'

export const schema = z.strictObject({
  name: z.string().min(1).max(64),
  chain: z.string().regex(/^(wss?|https?):\/\//, 'must begin with ws://, wss://, http:// or https://'),
  contracts: z.union([z.literal(''), z.string().regex(/^0x[0-9a-fA-F]{40}$/, 'must be an address: 0x and 40 hex digits')]),
  chainId: z.number().int().positive().optional(),
  data: z.strictObject({ file: z.string().min(1), mapping: z.string().optional() }),
  listen: z.array(z.string()).default([]),
  announce: z.array(z.string()).default([]),
  relay: z.boolean().default(false),
  web: z.strictObject({ port: z.number().int().min(0).max(65535) }).default({ port: 0 }),
  passwordFile: z.string().optional(),
})

/** @throws ROTA-1201 when there is none, ROTA-1202 when it is not as it should be (key and reason named) */
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

export function checkConfig(text: string, path: string): SiteConfig {
  let raw: unknown
  try {
    raw = parse(text)
  } catch (cause) {
    throw new RotaError('ROTA-1202', { path, where: 'the file', reason: firstLine(cause) }, cause)
  }
  const result = schema.safeParse(raw)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys.join(', ') : ''
  const where = [...(issue?.path ?? []), unknown].filter((part) => part !== '').join('.') || 'the file'
  throw new RotaError('ROTA-1202', { path, where: lineOf(text, where), reason: unknown ? `there is no such key${nearest(unknown)}` : (issue?.message ?? '') })
}

export const writeConfigText = (config: SiteConfig): string => `# Rota: one hospital's node. See docs/operating.md.\n${stringify(config)}`

const firstLine = (error: unknown): string => String(error instanceof Error ? error.message : error).split('\n')[0] ?? ''

function lineOf(text: string, where: string): string {
  const key = where.split('.').at(-1) ?? where
  const line = text.split('\n').findIndex((l) => l.trimStart().startsWith(`${key}:`))
  return line < 0 ? where : `${where} (line ${line + 1})`
}

function nearest(key: string): string {
  const known = Object.keys(schema.shape)
  const best = known.map((k) => ({ k, d: distance(k, key) })).sort((a, b) => a.d - b.d)[0]
  return best !== undefined && best.d <= 3 ? `; did you mean "${best.k}"?` : `; known keys: ${known.join(', ')}`
}

/** Levenshtein distance. */
export function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min((row[j] as number) + 1, (next[j - 1] as number) + 1, (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1))
    row = next
  }
  return row[b.length] as number
}
