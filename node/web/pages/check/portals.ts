import type { Place } from '#patient/portal-api.ts'
import { askJson, hostOf } from '#web/pages/shared/ask.ts'

export interface Portal {
  readonly url: string
  readonly place: Place
}

/** Portals of one network, whose chains are compared. */
export interface Portals {
  readonly known: readonly Portal[]
  /** Did not answer, or are of another network. */
  readonly away: readonly string[]
}

/** Each learns that this device asked; what they say is compared. */
const MOST_PORTALS = 5

/** The portal that serves this page, and those that the address names: `?portal=https://…`, as often as one likes. */
export function firstPortals(): readonly string[] {
  const named = new URLSearchParams(location.search).getAll('portal')
  return location.protocol.startsWith('http') ? [new URL('..', location.href).href, ...named] : named
}

/** Who answers, and who else they know of; the first that answers says which network it is. */
export async function findPortals(urls: readonly string[]): Promise<Portals> {
  const first = await askAll(urls)
  const more = first.known.flatMap(({ place }) => place.portals).filter((url) => !urls.some((each) => plainUrl(each) === plainUrl(url)))
  const second = await askAll(more.slice(0, Math.max(0, MOST_PORTALS - first.known.length)))
  const all = [...first.known, ...second.known]
  const isSame = ({ place }: Portal): boolean => networkName(place) === networkName(all[0]?.place ?? place)
  return { known: all.filter(isSame), away: [...first.away, ...second.away, ...all.filter((each) => !isSame(each)).map(({ url }) => url)] }
}

async function askAll(urls: readonly string[]): Promise<Portals> {
  const asked = [...new Set(urls.map(plainUrl))].filter((url) => /^https?:\/\//.test(url))
  const found = await Promise.all(asked.map(async (url) => ({ url, place: await askJson<Place>(`${url}/api/place`, { timeoutMs: 8_000 }).catch(() => null) })))
  return {
    known: found.flatMap(({ url, place }) => (place === null ? [] : [{ url, place }])),
    away: found.flatMap(({ url, place }) => (place === null ? [url] : [])),
  }
}

const networkName = ({ network }: Place): string => `${network.chainId} ${network.contracts}`
const plainUrl = (url: string): string => url.trim().replace(/\/+$/, '')

/** For people: the hospital's name, else the host. */
export const nameOf = ({ url, place }: Portal): string => place.site?.name ?? hostOf(url)
