import { type Sha256, toDigest, utf8 } from '#base/bytes.ts'
import type { Digest } from '#base/ids.ts'

/** Of a site that names none: all its studies spend from one budget. */
export const USUAL_DATASET = 'patients'

/**
 * What the privacy ledger knows a site's dataset by. Of its name alone: the same rows keep their budget when a file is moved or exported anew. A site that gives
 * the same patients two names doubles what they may lose: names are for rows of different people.
 */
export const datasetId = (name: string, sha256: Sha256): Digest => toDigest(sha256(utf8(`rota/dataset/v1\n${name}`)))
