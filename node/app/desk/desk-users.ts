import { systemClock } from '#adapters/host/system-host.ts'
import { type PasswordSource, readPassword } from '#adapters/vault/password.ts'
import { openSiteFolder } from '#app/site/site-folder.ts'
import type { StudyCall } from '#app/study/studies.ts'
import { RotaError } from '#base/errors.ts'
import { newCodes } from '#web/desk/one-time-codes.ts'
import { hashPassword } from '#web/desk/passwords.ts'
import { isUserName } from '#web/desk/users.ts'
import { openDeskUsers } from './desk-files.ts'

export interface AddedUser {
  readonly user: string
  /** Shown once, for an app that makes codes; null for one who comes by the sign-in service. */
  readonly codes: { readonly link: string; readonly picture: string } | null
}

/** @param call.userPassword null: signs in by the hospital's own service @throws ROTA-6707 there is one, 6709 the name, 6710 the password */
export async function addDeskUser(
  call: Omit<StudyCall, 'signal'> & { readonly user: string; readonly userPassword: PasswordSource | null },
): Promise<AddedUser> {
  const { userPassword } = call
  const user = call.user.normalize('NFC')
  if (!isUserName(user)) throw new RotaError('ROTA-6709', { user })
  const folder = await openSiteFolder(call.folder, call.password)
  const users = openDeskUsers(folder)
  if ((await users.find(user)) !== null) throw new RotaError('ROTA-6707', { user })
  const since = new Date(systemClock.nowMs()).toISOString()
  if (userPassword === null) {
    await users.add({ name: user, password: null, codes: null, since })
    return { user, codes: null }
  }
  const { secret, link, picture } = newCodes(user, folder.config.name)
  await users.add({ name: user, password: await hashPassword(readPassword(userPassword)), codes: secret, since })
  return { user, codes: { link, picture } }
}

/** Its sessions end with the next request. @throws ROTA-6708 */
export async function removeDeskUser(call: Omit<StudyCall, 'signal'> & { readonly user: string }): Promise<{ readonly user: string }> {
  const users = openDeskUsers(await openSiteFolder(call.folder, call.password))
  if ((await users.find(call.user)) === null) throw new RotaError('ROTA-6708', { user: call.user })
  await users.remove(call.user, new Date(systemClock.nowMs()).toISOString())
  return { user: call.user }
}

export interface ListedUser {
  readonly user: string
  readonly since: string
  readonly signsIn: 'password and code' | 'sign-in service'
}

export async function listDeskUsers(call: Omit<StudyCall, 'signal'>): Promise<readonly ListedUser[]> {
  const users = await openDeskUsers(await openSiteFolder(call.folder, call.password)).list()
  return users.map(({ name, since, password }) => ({ user: name, since, signsIn: password === null ? 'sign-in service' : 'password and code' }))
}
