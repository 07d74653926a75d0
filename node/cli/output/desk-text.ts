import type { AddedUser, ListedUser } from '#app/desk/desk-users.ts'
import type { readDeskLog } from '#app/desk/read-desk-log.ts'
import type { DeskStarted } from '#app/desk/serve-desk.ts'
import { shortHex } from '#base/format.ts'
import type { Style } from './style.ts'
import { table } from './table.ts'

export const deskStartedText = ({ url, site, users }: DeskStarted, style: Style): string =>
  [`${style.good('The desk')} of ${site}: ${url}`, ...(users === 0 ? [style.warn('Nobody has an account yet: rota desk user add NAME')] : [])].join('\n')

export function addedUserText({ user, codes }: AddedUser, style: Style): string {
  if (codes === null) return `${style.good('Added')} ${user}, who signs in at the hospital's own service.`
  return [
    `${style.good('Added')} ${user}. This is shown once: scan it with an app for one-time codes, or open the link on the phone.`,
    codes.picture,
    codes.link,
  ].join('\n\n')
}

export const usersText = (users: readonly ListedUser[], style: Style): string =>
  users.length === 0
    ? 'Nobody has an account: rota desk user add NAME'
    : table(
        ['account', 'since', 'signs in by'],
        users.map(({ user, since, signsIn }) => [user, since, signsIn]),
        style,
      )

/** A patient is a keyed digest of the site here too: `--patient` finds one by name. */
export function deskLogText({ entries, missing }: Awaited<ReturnType<typeof readDeskLog>>, style: Style): string {
  const older = missing === null ? '' : style.warn(`\nOlder entries were in ${missing.file}, which lies here no more.`)
  return `${entries.length === 0 ? 'Nothing is noted' : entriesTable(entries, style)}${older}`
}

const entriesTable = (entries: Awaited<ReturnType<typeof readDeskLog>>['entries'], style: Style): string =>
  table(
    ['when', 'account', 'what', 'patient', 'programme'],
    entries.map(({ at, who, what, patient, programme, day }) => [
      at,
      who === '' ? '(desk)' : who,
      what,
      patient === undefined ? (day ?? null) : shortHex(patient),
      programme ?? null,
    ]),
    style,
  )
