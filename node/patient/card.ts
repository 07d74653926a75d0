import { base64Url, fromBase64Url } from '#base/base64-url.ts'
import { utf8 } from '#base/bytes.ts'
import { type Address, isAddress } from '#base/ids.ts'
import { SECRET_BYTES } from './keys.ts'
import { sha256 } from './sha256.ts'

/**
 * What stands on the patient's card, as a link that a telephone's camera opens:
 *
 *   <page>#v=1&p=<programme>&k=<secret>&c=<chainId>&d=<directory contract>&s=<site>&r=<portal>,<portal>…&x=<checksum>
 *
 * A browser never sends the part after # to any server. The checksum finds a slip of the finger or of a scanner, 36 bits of SHA-256; it proves
 * nothing, since whoever alters the card can make it anew. The page before # is not under it: the same card opens on any copy of the page.
 */
export interface Card {
  readonly programme: string
  /** SECRET_BYTES. */
  readonly secret: Uint8Array
  readonly chainId: number
  /** The network's directory contract. */
  readonly contracts: Address
  /** The site that gave it. */
  readonly site: number
  /** Where withdrawals are taken and questions answered: URLs, of more than one member where there are. */
  readonly portals: readonly string[]
}

/** @param page the patient's page; a # in it and what follows is left out */
export const cardLink = (page: string, card: Card): string => `${page.split('#', 1)[0]}#${fragmentOf(card)}`

function fragmentOf({ programme, secret, chainId, contracts, site, portals }: Card): string {
  const body = `v=1&p=${escaped(programme)}&k=${base64Url(secret)}&c=${chainId}&d=${contracts}&s=${site}&r=${portals.map(escaped).join(',')}`
  return `${body}&x=${checksum(body)}`
}

/** Reads a card from a link, or from the part from # on; null where it is none, of an unknown version, or a character of it was altered. */
export function readCardLink(link: string): Card | null {
  const [, body, sum] = /#(v=1&.*)&x=([\w-]+)$/.exec(link) ?? []
  if (body === undefined || sum !== checksum(body)) return null
  const [, programme, key, chainId, contracts, site, portals] = FIELDS.exec(body) ?? []
  const secret = fromBase64Url(key ?? '')
  const numbers = [Number(chainId), Number(site)]
  if (secret?.length !== SECRET_BYTES || !isAddress(contracts) || !numbers.every(Number.isSafeInteger)) return null
  try {
    const read = { programme: decodeURIComponent(programme ?? ''), portals: (portals ?? '').split(',').filter(Boolean).map(decodeURIComponent) }
    return { programme: read.programme, secret, chainId: Number(chainId), contracts, site: Number(site), portals: read.portals }
  } catch {
    return null
  }
}

const FIELDS = /^v=1&p=([^&]*)&k=([\w-]*)&c=(\d+)&d=(0x[0-9a-f]*)&s=(\d+)&r=([^&]*)$/

/** As short as a fragment allows (RFC 3986, section 3.5), since each character makes the QR code denser: `:` and `/` stand as they are. */
const escaped = (text: string): string => encodeURIComponent(text).replaceAll('%3A', ':').replaceAll('%2F', '/')

const checksum = (body: string): string => base64Url(sha256(utf8(`rota/card/1/${body}`))).slice(0, 6)
