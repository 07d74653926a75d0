import { systemClock } from '#adapters/host/system-host.ts'
import { fromHex } from '#base/bytes.ts'
import { consentKeys } from '#patient/keys.ts'
import { type Place, RELAY_WORD, type Taken } from '#patient/portal-api.ts'
import { consentDomain, numberField, signDigest, typedDigest } from '#patient/typed-data.ts'
import type { SignedWithdrawal } from '#patient/withdrawal.ts'
import type { PortalWork } from '#web/portal/portal-parts.ts'
import { type PortalServer, startPortalServer } from '#web/portal/portal-server.ts'

const key = consentKeys(new Uint8Array(16).fill(7), 'a relay that lies')

/** A portal that says what a real one says, but for what it is told to say otherwise: how a lying member looks to a page. */
export async function portalDouble(of: string, changed: (real: PortalWork, place: Place) => Partial<PortalWork>): Promise<PortalServer> {
  const ask = async <T>(path: string): Promise<T> => (await (await fetch(`${of}${path}`)).json()) as T
  const place = await ask<Place>('/api/place')
  const real: PortalWork = {
    place: async () => ({ ...(await ask<Place>('/api/place')), relay: key.oneTimeAddress }),
    take: () => Promise.reject(new Error('not asked')),
    withdrawal: (programme, tag) => ask(`/api/withdrawals/${programme}/${tag}`),
    withdrawn: (programme, prefix) => ask(`/api/withdrawn?programme=${programme}&prefix=${prefix}`),
    proofs: () => Promise.reject(new Error('not asked')),
    withdrawnUntil: (programme, block) => ask(`/api/withdrawn?programme=${programme}&until=${block}`),
    block: (number) => ask(`/api/block?number=${number}`),
    records: ({ programme, site, rounds, epochs }) =>
      ask(`/api/records?programme=${programme}&site=${site}&rounds=${rounds.map(({ run, round }) => `${run}.${round}`)}&epochs=${epochs}`),
    record: () => Promise.reject(new Error('not asked')),
    again: () => Promise.reject(new Error('not asked')),
  }
  const silent = { warn: () => undefined, error: () => undefined }
  const domain = domainOf(place)
  const work = { ...real, ...changed(real, place) }
  return startPortalServer(
    { host: '127.0.0.1', port: 0 },
    { work, domain, clock: systemClock, notes: silent, page: null, behindProxy: false, requestsPerMinute: 100_000 },
  )
}

const domainOf = ({ network }: Place) => consentDomain(BigInt(network.chainId), network.consentRegistry)

/** Its signed word for a withdrawal with which it then does nothing. */
export function emptyWord(place: Place, { programme, tag }: SignedWithdrawal, seconds: number): Taken {
  const by = Math.floor(Date.now() / 1000) + seconds
  const signature = signDigest(typedDigest(domainOf(place), RELAY_WORD, [fromHex(programme), fromHex(tag), numberField(BigInt(by))]), key.privateKey)
  return { state: 'waiting', tag, by: new Date(by * 1000).toISOString(), relay: key.oneTimeAddress, signature }
}
