import { hash, hkdfSync } from 'node:crypto'
import { concat } from '#base/bytes.ts'
import type { MaskingCrypto } from '#core/masking/crypto.ts'
import { keystream } from './keystream.ts'
import { encapsulateTo, isKemKey, kemKey } from './ml-kem.ts'
import { openOnce, sealOnce } from './seal.ts'
import { combineShares, splitSecret } from './shamir.ts'
import { agreementKey } from './x25519.ts'

/** All by OpenSSL, Shamir by the library shamir-secret-sharing (audited by Cure53 and Zellic). ML-KEM needs Node 24.7 or later. */
export const nodeMasking: MaskingCrypto = {
  sha256: (...parts) => new Uint8Array(hash('sha256', concat(...parts), 'buffer')),
  hkdf: (secret, salt, info, lengthBytes) => new Uint8Array(hkdfSync('sha256', secret, salt, info, lengthBytes)),
  agreementKey,
  kemKey,
  isKemKey,
  encapsulate: encapsulateTo,
  seal: sealOnce,
  open: openOnce,
  split: splitSecret,
  combine: combineShares,
  keystream,
}
