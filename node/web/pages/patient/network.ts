import type { Card } from '#patient/card.ts'
import type { Place } from '#patient/portal-api.ts'
import { type ConsentDomain, consentDomain } from '#patient/typed-data.ts'
import { askJson, type Fault, faultOf, hostOf } from '#web/pages/shared/ask.ts'

/** A portal that the card names, and what it said of itself. */
export interface Source {
  readonly url: string
  readonly place: Place
}

export interface Network {
  readonly card: Card
  readonly sources: readonly Source[]
  readonly away: readonly { readonly url: string; readonly fault: Fault }[]
  /** The portal of the hospital that gave the card; null: it does not answer. */
  readonly own: Source | null
  readonly domain: ConsentDomain
  /** Portals do not agree which registry the network has: one of them is wrong. */
  readonly disagree: boolean
  /** Unix seconds by the portals' clocks: this device's may be wrong. */
  now(): number
  /** How far this device's clock is off, in seconds. */
  readonly clockOff: number
}

/** More are not asked: two that agree are enough, and each learns that this device asked. */
const MOST_SOURCES = 5

/** Asks the card's portals who they are, and portals that those name where the card has only one. Null: none answers for this network. */
export async function findNetwork(card: Card): Promise<Network | { readonly away: Network['away'] }> {
  const first = await Promise.all(unique(card.portals).map((url) => placeAt(url, card)))
  const known = first.flatMap((found) => ('place' in found ? [found] : []))
  const asked = new Set(card.portals.map(plainUrl))
  const more = known.length >= 2 ? [] : unique(known.flatMap(({ place }) => place.portals)).filter((url) => !asked.has(url))
  const all = [...first, ...(await Promise.all(more.slice(0, MOST_SOURCES - 1).map((url) => placeAt(url, card))))]
  const sources = all.flatMap((found) => ('place' in found ? [found] : []))
  const away = all.flatMap((found) => ('fault' in found ? [found] : []))
  return sources.length === 0 ? { away } : networkOf(card, sources, away)
}

function networkOf(card: Card, sources: readonly Source[], away: Network['away']): Network {
  const own = sources.find(({ place }) => place.site?.id === card.site) ?? null
  const registries = sources.map(({ place }) => place.network.consentRegistry)
  const offsets = sources.map(({ place }) => place.time - Date.now() / 1000).sort((a, b) => a - b)
  const clockOff = offsets[Math.floor(offsets.length / 2)] ?? 0
  return {
    card,
    sources,
    away,
    own,
    domain: consentDomain(BigInt(card.chainId), mostOf(registries)),
    disagree: new Set(registries).size > 1,
    now: () => Math.floor(Date.now() / 1000 + clockOff),
    clockOff,
  }
}

/** What most say; of equally many, what the first of them says. */
const mostOf = (values: readonly string[]): string =>
  values.reduce((best, value) => (countOf(values, value) > countOf(values, best) ? value : best), values[0] ?? '')
const countOf = (values: readonly string[], value: string): number => values.filter((each) => each === value).length

async function placeAt(url: string, card: Card): Promise<Source | { readonly url: string; readonly fault: Fault }> {
  try {
    const place = await askJson<Place>(`${url}/api/place`, { timeoutMs: 8_000 })
    if (place.network.chainId === card.chainId && place.network.contracts === card.contracts) return { url, place }
    return { url, fault: { code: 'other-network', message: `${url} is of another network`, remedy: '', values: { host: url } } }
  } catch (error) {
    return { url, fault: faultOf(error) }
  }
}

const plainUrl = (url: string): string => url.replace(/\/+$/, '')
/** Only what a browser can ask for. */
const unique = (urls: readonly string[]): string[] => [...new Set(urls.map(plainUrl))].filter((url) => /^https?:\/\//.test(url))

/** For people: the hospital's name, else the host. */
export const nameAt = ({ sources }: Network, url: string): string => sources.find((source) => source.url === url)?.place.site?.name ?? hostOf(url)
