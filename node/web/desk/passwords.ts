import * as crypto from 'node:crypto'
import { RotaError } from '#base/errors.ts'

/**
 * Argon2id with 64 MiB, 3 passes and one lane: some 120 ms of one core. OWASP asks for 19 MiB and 2 passes at least; more memory costs
 * whoever stole the file as much more, and this machine 64 MiB for each sign-in under way.
 * @see RFC 9106, section 4 (second recommended option: 64 MiB, 3 passes)
 */
const COST = { memory: 65_536, passes: 3, parallelism: 1, tagLength: 32 }
const SALT_BYTES = 16
const AT_ONCE = 2
const MOST_WAITING = 16

export const SHORTEST_PASSWORD = 12
export const LONGEST_PASSWORD = 1_000

/** `$argon2id$v=19$m=65536,t=3,p=1$salt$hash`, as everybody writes it. @throws ROTA-6710, ROTA-6718 */
export async function hashPassword(password: string): Promise<string> {
  if ([...password].length < SHORTEST_PASSWORD || password.length > LONGEST_PASSWORD) throw new RotaError('ROTA-6710')
  const salt = crypto.randomBytes(SALT_BYTES)
  return written(salt, await derive(password, salt))
}

/** @param stored null for a name without an account: takes as long, and is never right */
export async function isPassword(password: string, stored: string | null): Promise<boolean> {
  const [, , , , salt = '', hash = ''] = (stored ?? NOBODY).split('$')
  const wanted = Buffer.from(hash, 'base64')
  const found = await derive(password.slice(0, LONGEST_PASSWORD), Buffer.from(salt, 'base64'))
  return wanted.length === found.length && crypto.timingSafeEqual(found, wanted) && stored !== null
}

const written = (salt: Uint8Array, hash: Uint8Array): string =>
  `$argon2id$v=19$m=${COST.memory},t=${COST.passes},p=${COST.parallelism}$${unpadded(salt)}$${unpadded(hash)}`
const unpadded = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64').replace(/=+$/, '')
const NOBODY = written(new Uint8Array(SALT_BYTES), new Uint8Array(COST.tagLength))

type Argon2 = (
  algorithm: 'argon2id',
  options: { message: Buffer; nonce: Uint8Array; parallelism: number; tagLength: number; memory: number; passes: number },
  callback: (error: Error | null, key: Buffer) => void,
) => void

/** Since Node 24.7. */
const { argon2 } = crypto as unknown as { readonly argon2?: Argon2 }

let working = 0
const waiting: (() => void)[] = []

/** A few at a time, so that a flood of sign-ins takes neither all memory nor all cores. @throws ROTA-6717, ROTA-6718 */
async function derive(password: string, nonce: Uint8Array): Promise<Buffer> {
  if (argon2 === undefined) throw new RotaError('ROTA-6718')
  if (working < AT_ONCE) working++
  else {
    if (waiting.length >= MOST_WAITING) throw new RotaError('ROTA-6717')
    await new Promise<void>((resolve) => waiting.push(resolve))
  }
  try {
    const options = { ...COST, message: Buffer.from(password.normalize('NFKC'), 'utf8'), nonce }
    return await new Promise((resolve, reject) => argon2('argon2id', options, (error, key) => (error ? reject(error) : resolve(key))))
  } finally {
    const next = waiting.shift()
    if (next === undefined) working--
    else next()
  }
}
