import { computeAddress } from 'ethers'
import { fromHex, toDigest, utf8 } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import { address } from '#base/ids.ts'
import type { Random } from '#ports/host.ts'
import type { Vault } from '#ports/vault.ts'
import { type EncryptionKey, encryptionKeyOf, isRecipient, openBytes, sealBytes, unwrapWith, wrapFor } from './key-wrap.ts'
import { keyedDigests } from './keyed-digest.ts'

/** What one password opens at a site; each 32 bytes. */
export interface SiteSecrets {
  /** secp256k1 key of the node's account. */
  readonly node: Uint8Array
  /** Ed25519 seed of the libp2p identity. */
  readonly peer: Uint8Array
  /** X25519 key to which epoch keys are wrapped. */
  readonly encryption: Uint8Array
  /** Names patients in digests and cohort trees; never leaves the site, not even as part of a backup for others. */
  readonly site: Uint8Array
}

/** The vault, opened, with the two keys that other adapters sign with. */
export interface OpenVault extends Vault {
  /** For `connectChain`: private key of the node account, 0x-hex. */
  readonly nodeKey: string
  /** For the gossip adapter: seed of the libp2p Ed25519 key, 32 bytes. */
  readonly peerSeed: Uint8Array
}

export function vaultOf(secrets: SiteSecrets, random: Random): OpenVault {
  const nodeKey = `0x${Buffer.from(secrets.node).toString('hex')}`
  const mac = keyedDigests(secrets.site)
  return {
    ...keyholder(encryptionKeyOf(secrets.encryption), random),
    nodeKey,
    nodeAccount: address(computeAddress(nodeKey)),
    peerSeed: secrets.peer,
    keyedDigest(purpose, ...parts) {
      const told = purposeBytes(purpose)
      const all = [lengthOf(told), told]
      for (const part of parts) all.push(lengthOf(part), part)
      return mac(all)
    },
  }
}

/** What an auditor's reader key can do: unwrap, and open what lies under an epoch key. */
export type Keyholder = Pick<Vault, 'encryptionKey' | 'wrap' | 'unwrap' | 'seal' | 'open'>

export function keyholder(own: EncryptionKey, random: Random): Keyholder {
  return {
    encryptionKey: toDigest(own.publicKey),
    wrap: (key, recipients, context) =>
      recipients.map((recipient) => ({ recipient: fromHex(recipient), wrap: wrapFor(fromHex(recipient), key, context, random) })),
    unwrap(wraps, context) {
      const mine = wraps.filter(({ recipient }) => isRecipient(own, recipient))
      const key = mine.map(({ wrap }) => unwrapWith(own, wrap, context)).find((opened) => opened !== undefined)
      if (key === undefined) throw new RotaError('ROTA-1312', { wraps: wraps.length, mine: mine.length })
      return key
    },
    seal: (secret, key) => sealBytes(secret, key, random),
    open(sealed, key) {
      try {
        return openBytes(sealed, key)
      } catch (cause) {
        throw new RotaError('ROTA-1313', {}, cause)
      }
    },
  }
}

/** Lengths before parts, so that no two lists of parts give the same bytes. */
const lengthOf = ({ length }: Uint8Array): Uint8Array => SHORT[length] ?? word32(length)

const word32 = (n: number): Uint8Array => Uint8Array.of(n >>> 24, n >>> 16, n >>> 8, n)
const SHORT: readonly Uint8Array[] = Array.from({ length: 256 }, (_, n) => word32(n))

/** The few words that a digest is for. */
function purposeBytes(purpose: string): Uint8Array {
  const known = purposes.get(purpose) ?? utf8(purpose)
  if (purposes.size < SHORT.length) purposes.set(purpose, known)
  return known
}

const purposes = new Map<string, Uint8Array>()
