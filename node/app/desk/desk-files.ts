import { LOG_START, SealedLog } from '#adapters/cohort/sealed-log.ts'
import type { SiteFolder } from '#app/site/site-folder.ts'
import { fromHex } from '#base/bytes.ts'
import type { DeskEntry, DeskLog } from '#web/desk/desk-log.ts'
import type { DeskUser, DeskUsers } from '#web/desk/users.ts'
import { type DeskLogFiles, partFile, partOf, putAwayFull, sealedPart } from './desk-log-parts.ts'

type At = Pick<SiteFolder, 'paths' | 'vault'>

export interface DeskLogOnDisk extends DeskLog {
  /** Begins another file where this one is full: `putAwayFull`. */
  putAway(nowMs: number): Promise<boolean>
}

export const deskLogFiles = ({ paths, vault }: At): DeskLogFiles => ({ file: paths.desk, key: fromHex(vault.keyedDigest('desk-log')) })

/** The record of the desk, sealed under a key of the vault: what was noted since the last part but one was put away. */
export function openDeskLog(at: At): DeskLogOnDisk {
  const files = deskLogFiles(at)
  const log = sealedPart(files, files.file)
  const known = follow(log)
  let before: { readonly part: number; readonly entries: readonly DeskEntry[] } = { part: 0, entries: [] }
  return {
    async entries() {
      const now = await known()
      const part = partOf(now[0]) - 1
      if (part !== before.part) before = { part, entries: part === 0 ? [] : (await sealedPart(files, partFile(files, part)).after(LOG_START)).entries }
      return part === 0 ? now : [...before.entries, ...now]
    },
    append: (entries) => log.append(entries),
    putAway: (nowMs) => putAwayFull(files, nowMs),
  }
}

/** All entries, of which only the new ones are opened at each call: some 300 bytes of memory for each. */
function follow<Entry>(log: SealedLog<Entry>): () => Promise<readonly Entry[]> {
  let end = LOG_START
  let all: Entry[] = []
  const current = async (): Promise<readonly Entry[]> => {
    const from = end
    const read = await log.after(from)
    if (from !== end) return current() // another request's look came first
    if (read.anew) all = []
    all.push(...read.entries)
    end = read.end
    return all
  }
  return current
}

type UserEntry = ({ readonly kind: 'added' } & DeskUser) | { readonly kind: 'removed'; readonly name: string; readonly at: string }

export interface UserFile extends DeskUsers {
  list(): Promise<readonly DeskUser[]>
  add(user: DeskUser): Promise<void>
  remove(name: string, at: string): Promise<void>
}

/** Accounts, sealed likewise. Read again when the command line, another process, has changed them. */
export function openDeskUsers({ paths, vault }: At): UserFile {
  const log = new SealedLog<UserEntry>(paths.deskUsers, fromHex(vault.keyedDigest('desk-users')), 'desk-users')
  const entries = follow(log)
  const current = async (): Promise<ReadonlyMap<string, DeskUser>> => {
    const users = new Map<string, DeskUser>()
    for (const entry of await entries()) {
      if (entry.kind === 'removed') users.delete(entry.name)
      else users.set(entry.name, { name: entry.name, password: entry.password, codes: entry.codes, since: entry.since })
    }
    return users
  }
  return {
    find: async (name) => (await current()).get(name) ?? null,
    list: async () => [...(await current()).values()],
    add: (user) => log.append([{ kind: 'added', ...user }]),
    remove: (name, at) => log.append([{ kind: 'removed', name, at }]),
  }
}
