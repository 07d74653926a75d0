import { RotaError } from '#base/errors.ts'
import { type Address, type Digest, isAddress, isDigest } from '#base/ids.ts'
import { type Again, ASK_ROUNDS, askAgain } from '#patient/portal-api.ts'
import { isRequest, readRequest, requestFault, type SignedRequest } from '#patient/request.ts'
import type { ConsentDomain } from '#patient/typed-data.ts'
import { isSigned, readWithdrawal, type SignedWithdrawal } from '#patient/withdrawal.ts'
import type { AskedRecords, RoundPlace } from './portal-parts.ts'

/** What came over the wire, checked: shape first, then signature. Each throws ROTA-6501, or 6502 and 6503 where it is signed. */

export function readSigned(value: unknown, domain: ConsentDomain): SignedWithdrawal {
  const withdrawal = readWithdrawal(value) ?? refuse('withdrawal')
  if (!isSigned(withdrawal, domain)) throw new RotaError('ROTA-6502')
  return withdrawal
}

export const readRounds = (value: unknown, now: number, domain: ConsentDomain): SignedRequest => checkRequest(readRequest(value), ASK_ROUNDS, now, domain)

export function readAgain(value: unknown, now: number, domain: ConsentDomain): Again {
  const { request, tag, oneTimeAddress, terms } = (typeof value === 'object' && value !== null ? value : {}) as Partial<Again>
  if (!isDigest(tag) || !isAddress(oneTimeAddress) || !(terms === undefined || Number.isSafeInteger(terms))) return refuse('consent given again')
  const next = { tag, oneTimeAddress: oneTimeAddress as Address, ...(terms === undefined ? {} : { terms }) }
  return { request: checkRequest(readRequest(request), askAgain(next), now, domain), ...next }
}

function checkRequest(request: SignedRequest | null, what: string, now: number, domain: ConsentDomain): SignedRequest {
  if (request === null) return refuse('request')
  const expected = { programme: request.programme, what, now }
  if (isRequest(request, expected, domain)) return request
  if (requestFault(request, expected, domain) === 'expired') throw new RotaError('ROTA-6503', { at: isoOf(request.at), now: isoOf(now) })
  throw new RotaError('ROTA-6502')
}

const isoOf = (seconds: number): string => new Date(Math.min(seconds, 8_640_000_000_000) * 1000).toISOString()

export const readProgramme = (text: string | undefined): Digest => (isDigest(text) ? text : refuse('programme'))
export const readTag = (text: string | undefined): Digest => (isDigest(text) ? text : refuse('tag'))

/** Three digits at least: what fits fewer is half the register. */
export const readPrefix = (text: string | undefined): string => (text !== undefined && /^0x[0-9a-f]{3,64}$/.test(text) ? text : refuse('prefix of a tag'))

export const readBlock = (text: string | undefined): number => whole(text, 'block')

export const readPage = (text: string | undefined): number => (text === undefined ? 0 : whole(text, 'page'))

/** Pages ask for ten. */
const MOST_ROUNDS = 50

type Query = Readonly<Record<string, string>>

export function readAskedRecords({ programme, site, rounds, epochs }: Query): AskedRecords {
  const [places, numbers] = [partsOf(rounds).map(readPlace), partsOf(epochs).map((epoch) => whole(epoch, 'epoch'))]
  if (places.length === 0 || places.length > MOST_ROUNDS || numbers.length > 2 * MOST_ROUNDS) return refuse('list of rounds and epochs')
  return { programme: readProgramme(programme), site: whole(site, 'site'), rounds: places, epochs: numbers }
}

export const readRecordQuery = ({ programme, site, run, round, tag }: Query) => ({
  ...{ programme: readProgramme(programme), site: whole(site, 'site'), tag: readTag(tag) },
  ...{ run: whole(run, 'run'), round: whole(round, 'round') },
})

function readPlace(text: string): RoundPlace {
  const [, run, round] = /^(\d{1,9})\.(\d{1,9})$/.exec(text) ?? []
  return run === undefined ? refuse('round') : { run: Number(run), round: Number(round) }
}

const partsOf = (text: string | undefined): string[] => (text === undefined || text === '' ? [] : text.split(','))
const whole = (text: string | undefined, what: string): number => (text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : refuse(what))

function refuse(what: string): never {
  throw new RotaError('ROTA-6501', { what })
}
