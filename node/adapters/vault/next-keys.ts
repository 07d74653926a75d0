import { existsSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { computeAddress } from 'ethers'
import { toHex } from '#base/bytes.ts'
import { type Address, address } from '#base/ids.ts'
import type { Random } from '#ports/host.ts'
import { readPublic, readSealed, writeSealed } from './sealed-file.ts'
import { createAccount, vaultPath } from './site-vault.ts'

/**
 * Keys that are to take the place of others. They are on the disk before the chain hears of them, and take their place after it has: whoever is
 * interrupted in between does it again, and finds them.
 */
export const nextOf = (file: string): string => file.replace(/\.json$/, '.next.json')

/**
 * Draws another node account for the vault in `dir`; its other keys stay.
 * @returns the new account, or the one that was drawn before and has not taken its place yet
 * @throws ROTA-1301 wrong password, ROTA-1302 no vault there, ROTA-1306 when it cannot be written
 */
export async function drawNextNode(dir: string, password: string, random: Random): Promise<Address> {
  const file = vaultPath(dir)
  const { secrets, public: shown } = await readSealed(file, 'vault', password)
  if (existsSync(nextOf(file))) return address((await readSealed(nextOf(file), 'vault', password)).public.node ?? '')
  const node = toHex(random.bytes(32))
  const account = address(computeAddress(node))
  await writeSealed(nextOf(file), 'vault', password, { public: { ...shown, node: account }, secrets: { ...secrets, node } })
  return account
}

/** The same for a steward's account in a file of its own. @throws ROTA-1306 */
export async function drawNextAccount(file: string, password: string, random: Random): Promise<Address> {
  const before = await nextAccount(file)
  return before ?? (await createAccount(nextOf(file), password, random)).address
}

/** The account that waits to take this one's place; null when none does. @throws ROTA-1302 */
export async function nextAccount(file: string): Promise<Address | null> {
  if (!existsSync(nextOf(file))) return null
  const kind = file.endsWith('vault.json') ? 'vault' : 'account'
  const fields = await readPublic(nextOf(file), kind)
  return address((kind === 'vault' ? fields.node : fields.address) ?? '')
}

/** The new keys take their place; the old ones, which the chain no longer knows, are gone. */
export const takePlace = (file: string): Promise<void> => rename(nextOf(file), file)

/** They are not wanted after all. */
export const forgetNext = (file: string): Promise<void> => rm(nextOf(file), { force: true })
