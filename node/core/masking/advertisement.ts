import { toHex } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import type { SiteId } from '#base/ids.ts'
import { AGREEMENT_KEY_BYTES, KEM_KEY_BYTES, type MaskingCrypto } from './crypto.ts'
import type { RoundKeys } from './round-keys.ts'

/** A site's public keys of one round, in a message that its node signs. */
export interface Advertisement {
  /** X25519; its secret is rebuilt by the others when this site drops out. */
  readonly maskKey: Uint8Array
  /** X25519 and ML-KEM-768: shares come to this site under both, so that they stay closed while one of the two holds. */
  readonly channelKey: Uint8Array
  readonly channelKem: Uint8Array
}

export const advertisementOf = ({ mask, channel, channelKem }: RoundKeys): Advertisement => ({
  maskKey: mask.publicKey,
  channelKey: channel.publicKey,
  channelKem: channelKem.publicKey,
})

/** By which a key is known again; keep those of all that were offered in the run, and refuse whoever offers one twice. */
export const keyNames = ({ maskKey, channelKey, channelKem }: Advertisement): readonly string[] => [maskKey, channelKey, channelKem].map(toHex)

/**
 * Before anything is dealt to a site.
 * @param seen names of the keys of all other offers, of this and of earlier rounds
 * @throws ROTA-2324 a key that was offered before, ROTA-2325 an X25519 key of small order, ROTA-2326 no ML-KEM-768 key
 */
export function checkAdvertisement(offer: Advertisement, site: SiteId, seen: ReadonlySet<string>, own: RoundKeys, crypto: MaskingCrypto): void {
  const names = keyNames(offer)
  if (names.some((name) => seen.has(name)) || new Set(names).size < names.length) throw new RotaError('ROTA-2324', { site })
  for (const [key, mine] of [
    [offer.maskKey, own.mask],
    [offer.channelKey, own.channel],
  ] as const)
    if (key.length !== AGREEMENT_KEY_BYTES || mine.agree(key) === undefined) throw new RotaError('ROTA-2325', { site })
  if (offer.channelKem.length !== KEM_KEY_BYTES || !crypto.isKemKey(offer.channelKem)) throw new RotaError('ROTA-2326', { site, what: 'key' })
}
