import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SimRandom } from '#adapters/sim/random.ts'
import { SimWorld } from '#adapters/sim/world.ts'
import { type ChainAnswers, chainAnswers } from '#app/portal/chain-answers.ts'
import { Relay, type RelayParts } from '#app/portal/relay.ts'
import { WaitingFile } from '#app/portal/waiting-file.ts'
import { sha256 } from '#app/sha256.ts'
import { toDigest, toHex } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import { type Digest, digest, siteId } from '#base/ids.ts'
import { word32 } from '#core/consent/cohort-map.ts'
import { expiresAt, type Terms } from '#core/consent/terms.ts'
import { consentKeys } from '#patient/keys.ts'
import { type ConsentDomain, consentDomain } from '#patient/typed-data.ts'
import { type SignedWithdrawal, signWithdrawal } from '#patient/withdrawal.ts'
import type { Chain } from '#ports/chain.ts'
import type { Clock } from '#ports/host.ts'
import { programmeId } from '#wire/programme.ts'
import { encodeTerms, termsDigest } from '#wire/terms.ts'
import { secretOf } from '../patient/support.ts'

export const PROGRAMME = 'cardio'
export const ID = programmeId(PROGRAMME, sha256)
export const HOUR_MS = 3_600_000
const START_MS = Date.UTC(2026, 0, 5, 9)

/** Of a relay: any key will do. */
const relayKeys = consentKeys(secretOf('relay'), 'relay')
export const KEY = { account: relayKeys.oneTimeAddress, secret: relayKeys.privateKey }

/** Stands still until it is told to go on; whoever slept wakes then, and is waited for until it sleeps again. */
export class HandClock implements Clock {
  #now = START_MS
  #sleepers: { readonly at: number; readonly wake: () => void }[] = []
  #hasSleeper = false

  nowMs(): number {
    return this.#now
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    this.#hasSleeper = true
    return new Promise((resolve, reject) => {
      const sleeper = { at: this.#now + ms, wake: resolve }
      this.#sleepers.push(sleeper)
      const leave = () => {
        this.#sleepers = this.#sleepers.filter((each) => each !== sleeper)
        reject(signal.reason)
      }
      if (signal.aborted) leave()
      else signal.addEventListener('abort', leave, { once: true })
    })
  }

  async advance(ms: number): Promise<void> {
    for (const end = this.#now + ms; ; ) {
      await this.#untilAsleep()
      this.#now = Math.max(this.#now, Math.min(end, ...this.#sleepers.map(({ at }) => at)))
      const due = this.#sleepers.filter(({ at }) => at <= this.#now)
      this.#sleepers = this.#sleepers.filter(({ at }) => at > this.#now)
      for (const { wake } of due) wake()
      if (due.length > 0) continue
      if (this.#now >= end) return
    }
  }

  /** What was woken writes to the disk before it sleeps again. */
  async #untilAsleep(): Promise<void> {
    const end = Date.now() + 10_000
    while (this.#hasSleeper && this.#sleepers.length === 0) {
      if (Date.now() > end) throw new Error('nobody sleeps any more')
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
  }
}

export const signedBy = (name: string, domain: ConsentDomain, programme = PROGRAMME): SignedWithdrawal => signWithdrawal(secretOf(name), programme, domain)

/** A relay over a chain in memory, which takes signatures as the contract does. */
export async function relayWorld(relayDelayHours = 8) {
  const folder = await mkdtemp(join(tmpdir(), 'rota-relay-'))
  const world = SimWorld.create({ seed: 'a relay', sites: 3 })
  const chain = world.node(world.site(siteId(1))) as Chain
  const steward = world.steward(world.site(siteId(0)))
  const domain = consentDomain(chain.chainId, world.chain.consentRegistry)
  const answers = chainAnswers(chain, world.chain.consentRegistry, async (block) => toDigest(sha256(word32(block))))
  await publish(steward, termsOf(relayDelayHours))
  const clock = new HandClock()
  const file = join(folder, 'withdrawals.jsonl')
  const sent: (readonly Digest[])[] = []
  const state = { away: false }
  const send: RelayParts['send'] = async (programme, withdrawals) => {
    if (state.away) throw new RotaError('ROTA-5001', { url: 'sim' })
    sent.push(withdrawals.map(({ tag }) => tag))
    await chain.withdrawMany(programme, withdrawals)
  }
  const told: string[] = []
  const log = { info: () => undefined, warn: () => undefined, error: (event: string) => void told.push(event) }
  /** Another each time, over the same file: as a process that is started again. */
  const open = async (random = new SimRandom('delays')): Promise<Relay> => {
    const relay = new Relay({ file: new WaitingFile(file), domain, key: KEY, promiseMs: answers.promiseMs, onChain: answers.onChain, send, clock, random, log })
    await relay.open()
    return relay
  }
  return { told, folder, world, chain, domain, answers, clock, file, sent, state, open, stop: () => rm(folder, { recursive: true, force: true }) }
}

export type RelayWorld = Awaited<ReturnType<typeof relayWorld>>

async function publish(steward: Pick<Chain, 'publishTerms'>, terms: Terms): Promise<void> {
  const text = toHex(encodeTerms(terms))
  const { version, lawfulBasis } = terms
  await steward.publishTerms(ID, {
    version,
    digest: digest(termsDigest(terms, sha256)),
    basis: lawfulBasis,
    ombudsman: null,
    expiresAt: expiresAt(terms),
    text,
  })
}

const termsOf = (relayDelayHours: number): Terms => ({
  version: 1,
  programme: PROGRAMME,
  lawfulBasis: 'consent',
  expires: '2040-01-01',
  cadenceHours: 24,
  relayDelayHours,
  controllers: [{ name: 'Heart Centre', contact: 'Main Street 1' }],
  dataProtectionOfficer: { name: 'Ada', email: 'ada@heart.example' },
  dataCategories: ['dpv-pd:MedicalHealth'],
  ombudsman: null,
  portals: ['https://heart.example'],
  texts: { en: { title: 'Hearts', purpose: 'p', data: 'd', withdrawing: 'w', limits: 'l' } },
})

export type { ChainAnswers }
