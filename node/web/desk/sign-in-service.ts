import { randomBytes } from 'node:crypto'
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  type Configuration,
  calculatePKCECodeChallenge,
  discovery,
  fetchUserInfo,
} from 'openid-client'
import { isRotaError, nameOf, RotaError } from '#base/errors.ts'
import type { Clock } from '#ports/host.ts'
import type { DeskLog } from './desk-log.ts'
import type { DeskUser, DeskUsers } from './users.ts'

/** The hospital's own sign-in service, by OpenID Connect: who it names gets in if the desk has an account of that name. */
export interface ServiceOptions {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string | undefined
  /** Which claim of the identity names the account: the service must let nobody choose it. */
  readonly claim: string
}

export interface SignInService {
  /** Where the browser goes, and what it must bring back beside the answer. */
  start(): Promise<{ readonly url: string; readonly state: string }>
  /** @param state as the browser kept it @throws ROTA-6715 the service, 6716 no account here */
  enter(back: URL, state: string | undefined): Promise<DeskUser>
}

interface Parts {
  readonly deskUrl: URL
  readonly users: DeskUsers
  readonly log: DeskLog
  readonly clock: Pick<Clock, 'nowMs'>
}

interface Begun {
  readonly verifier: string
  readonly nonce: string
  readonly untilMs: number
}

export const BACK_PATH = '/service/back'
const BEGUN_MS = 10 * 60_000
const MOST_BEGUN = 1_000
const ANSWER_S = 10

/** Code flow with PKCE, state and nonce. The service is asked for its configuration at the first sign-in, and again after a fault. */
export function signInService(options: ServiceOptions, parts: Parts): SignInService {
  const begun = new Map<string, Begun>()
  const redirect = new URL(BACK_PATH, parts.deskUrl).href
  let found: Promise<Configuration> | null = null
  const known = (): Promise<Configuration> => {
    found ??= discover(options)
    found.catch(() => (found = null))
    return found
  }
  const fault = (error: unknown): RotaError =>
    isRotaError(error) ? error : new RotaError('ROTA-6715', { issuer: options.issuer, reason: reasonOf(error) }, error)

  return {
    async start() {
      const service = await known().catch((error) => Promise.reject(fault(error)))
      const [state, nonce, verifier] = [drawn(), drawn(), drawn()]
      const nowMs = parts.clock.nowMs()
      for (const [key, { untilMs }] of begun) if (nowMs >= untilMs || begun.size >= MOST_BEGUN) begun.delete(key)
      begun.set(state, { verifier, nonce, untilMs: nowMs + BEGUN_MS })
      const challenge = await calculatePKCECodeChallenge(verifier)
      const asked = { redirect_uri: redirect, scope: 'openid profile email', state, nonce, code_challenge: challenge, code_challenge_method: 'S256' }
      return { url: buildAuthorizationUrl(service, asked).href, state }
    },
    async enter(back, state) {
      const waiting = state === undefined ? undefined : begun.get(state)
      begun.delete(state ?? '')
      if (state === undefined || waiting === undefined || parts.clock.nowMs() >= waiting.untilMs) throw new RotaError('ROTA-6704')
      const checks = { pkceCodeVerifier: waiting.verifier, expectedState: state, expectedNonce: waiting.nonce, idTokenExpected: true }
      const url = new URL(`${back.pathname}${back.search}`, parts.deskUrl)
      const name = await known()
        .then(async (service) => claimOf(service, await authorizationCodeGrant(service, url, checks), options.claim))
        .catch((error) => Promise.reject(fault(error)))
      const user = typeof name === 'string' ? await parts.users.find(name) : null
      if (user === null || user.password !== null) throw new RotaError('ROTA-6716')
      await parts.log.append([{ at: new Date(parts.clock.nowMs()).toISOString(), who: user.name, what: 'signed in' }])
      return user
    },
  }
}

/** The claim of the identity itself, or what the service says of it when asked: services differ in where they put a name. */
async function claimOf(service: Configuration, tokens: Awaited<ReturnType<typeof authorizationCodeGrant>>, claim: string): Promise<unknown> {
  const identity = tokens.claims()
  if (identity === undefined) return undefined
  return identity[claim] ?? (await fetchUserInfo(service, tokens.access_token, identity.sub))[claim]
}

/** A service without TLS is taken on this machine alone. */
function discover({ issuer, clientId, clientSecret }: ServiceOptions): Promise<Configuration> {
  const url = new URL(issuer)
  const local = url.protocol === 'http:' && ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname)
  return discovery(url, clientId, clientSecret, undefined, { timeout: ANSWER_S, ...(local ? { execute: [allowInsecureRequests] } : {}) })
}

const drawn = (): string => randomBytes(32).toString('base64url')

/** A code of the service or of the library; what else it says may name a person. */
function reasonOf(error: unknown): string {
  const { error: told, code } = Object(error) as { readonly error?: unknown; readonly code?: unknown }
  return [told, code].find((word) => typeof word === 'string' && /^[\w.-]{1,64}$/.test(word))?.toString() ?? nameOf(error)
}
