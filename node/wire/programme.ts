import { type Sha256, toDigest, utf8 } from '#base/bytes.ts'
import type { Digest } from '#base/ids.ts'

/** What ConsentRegistry knows a consent programme by. @param name as the protocol writes it */
export const programmeId = (name: string, sha256: Sha256): Digest => toDigest(sha256(utf8(`rota consent programme: ${name}`)))
