import { createCipheriv, createDecipheriv, randomBytes, type ScryptOptions, scrypt } from 'node:crypto'
import { link, open, readFile, unlink } from 'node:fs/promises'
import { RotaError } from '#base/errors.ts'

/**
 * Secrets under a password, as JSON:
 *
 *   { "rota": kind, "version": 1, "public": {…}, "kdf": { "name": "scrypt", "n", "r", "p", "salt" }, "cipher": "aes-256-gcm", "nonce", "sealed" }
 *
 * `public` stands in the clear and is authenticated with the secrets (GCM additional data), so that it cannot be exchanged.
 * scrypt with n = 2^15, r = 8 takes 32 MiB and about 60 ms to open; 2^17 would be four times as dear to guess, and to open.
 */
const KDF: Cost = { n: 2 ** 15, r: 8, p: 1 }
/** A file that asks for more was not made here: it would only burn memory. */
const LARGEST_N = 2 ** 18

/** @see RFC 7914, section 2 */
export interface Cost {
  readonly n: number
  readonly r: number
  readonly p: number
}

export interface SealedFile<Public, Secrets> {
  readonly public: Public
  readonly secrets: Secrets
}

type Fields = Readonly<Record<string, string>>

/** @param cost of a guess; a file is opened at the cost that it names @throws ROTA-1303 when the file exists, ROTA-1306 when it cannot be written */
export async function writeSealed(path: string, kind: string, password: string, content: SealedFile<Fields, Fields>, cost: Cost = KDF): Promise<void> {
  await writeOnce(path, `${JSON.stringify(await seal(kind, password, content, cost), null, 2)}\n`)
}

/** The same as one line of text, for a file that holds more than that. */
export const sealText = async (kind: string, password: string, content: SealedFile<Fields, Fields>): Promise<string> =>
  JSON.stringify(await seal(kind, password, content, KDF))

async function seal(kind: string, password: string, content: SealedFile<Fields, Fields>, cost: Cost): Promise<object> {
  const salt = randomBytes(16)
  const nonce = randomBytes(12)
  const key = await deriveKey(password, salt, cost)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(boundText(kind, content.public))
  const sealed = Buffer.concat([cipher.update(JSON.stringify(content.secrets), 'utf8'), cipher.final(), cipher.getAuthTag()])
  const kdf = { name: 'scrypt', ...cost, salt: salt.toString('hex') }
  return { rota: kind, version: 1, public: content.public, kdf, cipher: 'aes-256-gcm', nonce: nonce.toString('hex'), sealed: sealed.toString('hex') }
}

/** @throws ROTA-1301 wrong password (or a changed byte: the two cannot be told apart), ROTA-1302 no such keystore */
export async function readSealed(path: string, kind: string, password: string): Promise<SealedFile<Fields, Fields>> {
  return unseal(path, await readParsed(path, kind), kind, password)
}

/** Opens what `sealText` made. @param name of the file that it came from @throws as readSealed */
export const openText = async (name: string, text: string, kind: string, password: string): Promise<SealedFile<Fields, Fields>> =>
  unseal(name, parse(name, text, kind), kind, password)

async function unseal(path: string, file: Parsed, kind: string, password: string): Promise<SealedFile<Fields, Fields>> {
  const key = await deriveKey(password, Buffer.from(file.kdf.salt, 'hex'), file.kdf)
  const sealed = Buffer.from(file.sealed, 'hex')
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(file.nonce, 'hex'))
    decipher.setAAD(boundText(kind, file.public)).setAuthTag(sealed.subarray(-16))
    const text = Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]).toString('utf8')
    return { public: file.public, secrets: JSON.parse(text) as Fields }
  } catch (cause) {
    throw new RotaError('ROTA-1301', { file: path }, cause)
  }
}

/** The part that needs no password. @throws ROTA-1302 */
export async function readPublic(path: string, kind: string): Promise<Fields> {
  return (await readParsed(path, kind)).public
}

interface Parsed {
  readonly public: Fields
  readonly kdf: { readonly n: number; readonly r: number; readonly p: number; readonly salt: string }
  readonly nonce: string
  readonly sealed: string
}

async function readParsed(path: string, kind: string): Promise<Parsed> {
  const text = await readFile(path, 'utf8').catch((cause) => Promise.reject(new RotaError('ROTA-1302', { file: path, reason: cause.code }, cause)))
  return parse(path, text, kind)
}

function parse(path: string, text: string, kind: string): Parsed {
  const refuse = (reason: string, cause?: unknown) => new RotaError('ROTA-1302', { file: path, reason }, cause)
  let value: Partial<Parsed> & { rota?: unknown; version?: unknown }
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw refuse('it is no JSON', cause)
  }
  if (value.rota !== kind) throw refuse(`it is no Rota ${kind}`)
  if (value.version !== 1) throw refuse(`its version ${String(value.version)} is unknown here`)
  const kdf = value.kdf
  const whole = kdf && isCount(kdf.n) && kdf.n <= LARGEST_N && isCount(kdf.r) && kdf.r <= 16 && isCount(kdf.p) && kdf.p <= 4
  if (!whole || ![kdf.salt, value.nonce, value.sealed].every(isHex) || typeof value.public !== 'object') throw refuse('a part is missing')
  return value as Parsed
}

const isCount = (x: unknown): boolean => Number.isSafeInteger(x) && (x as number) > 0
const isHex = (x: unknown): boolean => typeof x === 'string' && /^([0-9a-f]{2})+$/.test(x)

const boundText = (kind: string, fields: Fields): Buffer => Buffer.from(JSON.stringify([kind, Object.entries(fields).sort()]), 'utf8')

const deriveKey = (password: string, salt: Uint8Array, { n, r, p }: Cost): Promise<Buffer> => {
  const options: ScryptOptions = { N: n, r, p, maxmem: 256 * n * r }
  return new Promise((resolve, reject) => scrypt(password.normalize('NFKC'), salt, 32, options, (error, key) => (error ? reject(error) : resolve(key))))
}

/** Whole or not at all, and never over another file: a key that is overwritten is gone. */
async function writeOnce(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    const file = await open(temporary, 'wx', 0o600)
    await file
      .writeFile(text)
      .then(() => file.sync())
      .finally(() => file.close())
    await link(temporary, path)
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown'
    throw code === 'EEXIST' ? new RotaError('ROTA-1303', { file: path }, cause) : new RotaError('ROTA-1306', { file: path, reason: code }, cause)
  } finally {
    await unlink(temporary).catch(() => {})
  }
}
