import { openSender } from '#adapters/chain/sender.ts'
import { sendTo, writerOf } from '#adapters/chain/writer.ts'
import { type PasswordSource, readPassword } from '#adapters/vault/password.ts'
import { openAccount } from '#adapters/vault/site-vault.ts'
import { connectSite, openSiteFolder, ownRecord, passwordSource } from '#app/site/site-folder.ts'
import type { StudyCall } from '#app/study/studies.ts'
import { toDigest, toHex } from '#base/bytes.ts'
import type { Digest } from '#base/ids.ts'
import { expiresAt, type Terms } from '#core/consent/terms.ts'
import { programmeId } from '#wire/programme.ts'
import { encodeTerms } from '#wire/terms.ts'
import { sha256 } from '../sha256.ts'

export interface TermsPublished {
  readonly programme: string
  readonly version: number
  readonly digest: Digest
  readonly bytes: number
}

/**
 * Puts a version of a programme's terms on chain, text and all, as the site's steward.
 * @throws ROTA-5405 another site keeps the programme, 5406 not the next version, 5407 what the contract does not take
 */
export async function publishTerms(call: StudyCall & { readonly terms: Terms; readonly stewardPassword: PasswordSource | null }): Promise<TermsPublished> {
  const { terms } = call
  const folder = await openSiteFolder(call.folder, call.password)
  const chain = await connectSite(folder, call.signal)
  try {
    await ownRecord(chain)
    const source = call.stewardPassword ?? passwordSource(folder.config, call.folder, call.password)
    const { privateKey } = await openAccount(folder.paths.steward, readPassword(source))
    const steward = writerOf(sendTo(chain.link, openSender(chain.link, privateKey)))
    const bytes = encodeTerms(terms)
    const digest = toDigest(sha256(bytes))
    await steward.publishTerms(programmeId(terms.programme, sha256), {
      ...{ version: terms.version, digest, basis: terms.lawfulBasis, ombudsman: terms.ombudsman?.address ?? null },
      ...{ expiresAt: expiresAt(terms), text: toHex(bytes) },
    })
    return { programme: terms.programme, version: terms.version, digest, bytes: bytes.length }
  } finally {
    await chain.stop()
  }
}
