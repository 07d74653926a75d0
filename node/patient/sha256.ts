import { sha256 as hash } from '@noble/hashes/sha2.js'
import { concat, type Sha256 } from '#base/bytes.ts'

/** For a browser, which has SHA-256 as a promise only, and core/ asks for the value. */
export const sha256: Sha256 = (...parts) => hash(parts.length === 1 ? (parts[0] as Uint8Array) : concat(...parts))
