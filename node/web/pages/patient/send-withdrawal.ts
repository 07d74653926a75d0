import { fromHex } from '#base/bytes.ts'
import type { Digest } from '#base/ids.ts'
import { type OnChain, RELAY_WORD, type Taken } from '#patient/portal-api.ts'
import { numberField, signerOf, typedDigest } from '#patient/typed-data.ts'
import { type SignedWithdrawal, signWithdrawal } from '#patient/withdrawal.ts'
import { askJson, type Fault, faultOf } from '#web/pages/shared/ask.ts'
import type { Network, Source } from './network.ts'
import { seenBy } from './standing.ts'
import { termsOf } from './terms.tsx'

/** One relay, and what came of it. */
export interface Attempt {
  readonly url: string
  readonly name: string
  /**
   * asking: no answer yet · promised: it gave its signed word, `by` · refused: it said no · broken: its time is over and no other portal's
   * chain has the withdrawal · kept: other portals see it on chain · alone: only this relay says that it is on chain
   */
  readonly state: 'asking' | 'promised' | 'refused' | 'broken' | 'kept' | 'alone'
  readonly by: string | null
  /** Its signed word: evidence, where it does not keep it. */
  readonly word: Taken | null
  readonly fault: Fault | null
}

export interface Progress {
  /** Anyone may put it on chain. */
  readonly signed: SignedWithdrawal
  readonly attempts: readonly Attempt[]
  /** Where the chain has it. */
  readonly done: { readonly block: number; readonly time: number; readonly said: readonly string[] } | null
  /** No relay is left: the desk can do it, or the contract itself. */
  readonly exhausted: boolean
}

/** First looks come quickly, for relays that wait seconds; later ones seldom, for those that wait hours. */
const lookEvery = (looks: number): number => Math.min(60_000, 500 * 1.25 ** looks)
/** A word is not broken by a block's time. */
const GRACE_S = 5
/** Without terms. */
const USUAL_HOURS = 24
/** Of clocks. */
const TOLERANCE_S = 60

/**
 * Withdraws through one relay after the other, the own hospital's first since it stops at once, until a portal other than the relays that
 * promised it has it on chain. A relay that says yes and does nothing is found out by that.
 * @param told each time something is known anew
 * @param hurry resolves when the person wants the next relay too, before the time that the last one promised
 */
export async function sendWithdrawal(network: Network, told: (progress: Progress) => void, hurry: () => Promise<void>, signal: AbortSignal): Promise<void> {
  const signed = signWithdrawal(network.card.secret, network.card.programme, network.domain)
  let attempts: readonly Attempt[] = []
  const tell = (next: readonly Attempt[], ended: Pick<Progress, 'done' | 'exhausted'> = { done: null, exhausted: false }): void => {
    attempts = next
    told({ signed, attempts, ...ended })
  }
  for (const relay of inOrder(network)) {
    tell([...attempts, { url: relay.url, name: nameOf(relay), state: 'asking', by: null, word: null, fault: null }])
    const answer = await give(network, relay, signed)
    tell([...attempts.slice(0, -1), { ...(attempts.at(-1) as Attempt), ...answer }])
    if (answer.state === 'refused') continue
    const found = await watch(network, attempts, signed.tag, hurry, signal)
    if (signal.aborted) return
    tell(judged(attempts, found, network.now()))
    if (found !== null && isBelieved(network, attempts, found)) return tell(attempts, { done: found, exhausted: false })
  }
  // Relays that were hurried past are given the time that they promised.
  const found = await watch(network, attempts, signed.tag, () => new Promise(() => undefined), signal)
  if (signal.aborted) return
  const believed = found !== null && isBelieved(network, attempts, found)
  tell(judged(attempts, found, Number.POSITIVE_INFINITY), { done: believed ? found : null, exhausted: !believed })
}

/** What each promise came to: kept, or broken once its time is over. */
function judged(attempts: readonly Attempt[], found: Progress['done'], now: number): readonly Attempt[] {
  return attempts.map((attempt): Attempt => {
    if (attempt.state !== 'promised') return attempt
    const others = found?.said.filter((url) => url !== attempt.url) ?? []
    if (others.length > 0) return { ...attempt, state: 'kept' }
    if (found !== null) return { ...attempt, state: 'alone' }
    return secondsOf(attempt) + GRACE_S < now ? { ...attempt, state: 'broken' } : attempt
  })
}

/** By somebody who did not promise it, or by two; by the one that there is where there is but one. */
const isBelieved = ({ sources }: Network, attempts: readonly Attempt[], { said }: NonNullable<Progress['done']>): boolean =>
  said.length > 1 || sources.length === 1 || said.some((url) => !attempts.some((attempt) => attempt.url === url))

const secondsOf = ({ by }: Attempt): number => (by === null ? 0 : Date.parse(by) / 1000)

const inOrder = ({ sources, own }: Network): readonly Source[] => (own === null ? sources : [own, ...sources.filter((source) => source !== own)])
export const nameOf = ({ place, url }: Source): string => place.site?.name ?? new URL(url).host

/** A relay that says that it is on chain already promises it for now. */
async function give(network: Network, { url, place }: Source, signed: SignedWithdrawal): Promise<Pick<Attempt, 'state' | 'by' | 'word' | 'fault'>> {
  const refused = (fault: Fault) => ({ state: 'refused', by: null, word: null, fault }) as const
  try {
    const answer = await askJson<Taken | OnChain>(`${url}/api/withdrawals`, { body: signed })
    if (answer.state === 'on chain') return { state: 'promised', by: new Date(network.now() * 1000).toISOString(), word: null, fault: null }
    if (!isWord(network, signed, answer, place.relay)) return refused(faultAt(url, 'no-word'))
    return isInTime(network, answer) ? { state: 'promised', by: answer.by, word: answer, fault: null } : refused(faultAt(url, 'late-word'))
  } catch (error) {
    return refused(faultOf(error))
  }
}

const faultAt = (url: string, code: string): Fault => ({ code, message: `${url}: ${code}`, remedy: '', values: {} })

/** Not later than the terms let a relay wait: else it could keep a page waiting for ever. */
const isInTime = (network: Network, { by }: Taken): boolean =>
  Date.parse(by) / 1000 <= network.now() + (termsOf(network).terms?.relayDelayHours ?? USUAL_HOURS) * 3600 + TOLERANCE_S

function isWord({ domain }: Network, { programme, tag }: SignedWithdrawal, word: Taken, relay: string): boolean {
  const by = Math.floor(Date.parse(word.by) / 1000)
  if (word.tag !== tag || !Number.isSafeInteger(by) || word.relay !== relay) return false
  return signerOf(typedDigest(domain, RELAY_WORD, [fromHex(programme), fromHex(tag), numberField(BigInt(by))]), word.signature) === relay
}

/** Looks on the chain through all portals until one that is believed has it, or all promises are over. Null: nobody has it. */
async function watch(network: Network, attempts: readonly Attempt[], tag: Digest, hurry: () => Promise<void>, signal: AbortSignal): Promise<Progress['done']> {
  const until = Math.max(0, ...attempts.flatMap((attempt) => (attempt.state === 'promised' ? [secondsOf(attempt) + GRACE_S] : [])))
  let isHurried = false
  void hurry().then(() => {
    isHurried = true
  })
  for (let looks = 0; ; looks += 1) {
    const found = await look(network, tag)
    const isOver = network.now() > until || isHurried || signal.aborted
    if (isOver || (found !== null && isBelieved(network, attempts, found))) return found
    const left = (until + 1 - network.now()) * 1000
    await pause(Math.min(lookEvery(looks), Math.max(500, left)), () => isHurried || signal.aborted)
  }
}

async function look(network: Network, tag: Digest): Promise<Progress['done']> {
  const seen = await Promise.all(network.sources.map(async (source) => ({ url: source.url, at: await seenBy(source, network, tag).catch(() => null) })))
  const yes = seen.flatMap(({ url, at }) => (at === null ? [] : [{ url, ...at }]))
  const [first] = yes.toSorted((a, b) => a.block - b.block)
  return first === undefined ? null : { block: first.block, time: first.time, said: yes.map(({ url }) => url) }
}

/** Ends early when the page is left or the person hurries. */
async function pause(ms: number, isOver: () => boolean): Promise<void> {
  for (const end = Date.now() + ms; Date.now() < end && !isOver(); ) await new Promise((resolve) => setTimeout(resolve, Math.min(250, ms)))
}
