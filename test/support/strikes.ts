import { randomUUID } from 'node:crypto'
import { existsSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { SiteId } from '#base/ids.ts'
import type { RunView } from '#ports/chain.ts'
import { placeOf, type RowName } from '#round/next.ts'

/** Who is struck, by its place in the rota of that round. */
export type Role = 'leader' | 'standby' | 'site'

/**
 * When exactly: before the row is begun; when its transaction is signed, and the journal written, but nothing sent yet; or when it has
 * been sent, and no answer was seen.
 */
export type Moment = 'row' | 'send' | 'sent'

/** A place of the rota in the round that will follow, if its turn goes on to the next. */
export type NextRole = `next ${Role}`

/** A blow that a node deals itself, at a named row of the protocol: nothing depends on who is faster. */
export interface Strike {
  readonly row: RowName
  /** 'the same': whoever the strike before fell on, started again; only one such is armed at a time, so it is whoever comes first. */
  readonly role: Role | NextRole | 'anyone' | 'the same'
  readonly at: Moment
  readonly signal: 'SIGKILL' | 'SIGSTOP'
  /** Only this site. */
  readonly site?: number | undefined
  /** From this round of the run on. */
  readonly from?: number | undefined
}

/** Who was struck, as its file says. */
export interface Struck {
  readonly site: number
  readonly pid: number
  readonly run: number
  readonly round: number
  readonly role: Role
}

const ARMED = 'armed.json'
const struckFile = (dir: string, id: string): string => join(dir, `struck-${id}.json`)

/** Hangs strikes over the nodes that look into `dir`; each falls once. @returns how to know whether one has fallen */
export function arm(dir: string, strikes: readonly Strike[]): readonly { readonly strike: Strike; struck(): Struck | null }[] {
  const armed = strikes.map((strike) => ({ strike, id: randomUUID() }))
  writeFileSync(join(dir, `${ARMED}.new`), JSON.stringify(armed))
  renameSync(join(dir, `${ARMED}.new`), join(dir, ARMED))
  return armed.map(({ strike, id }) => ({
    strike,
    struck: () => {
      const text = existsSync(struckFile(dir, id)) ? readFileSync(struckFile(dir, id), 'utf8') : ''
      return text.endsWith('\n') ? (JSON.parse(text) as Struck) : null
    },
  }))
}

export const roleOf = ({ round }: RunView, site: SiteId): Role => roleAt(placeOf(round, site))
export const nextRoleOf = ({ round }: RunView, site: SiteId): Role => roleAt((placeOf(round, site) + round.rota.length - 1) % round.rota.length)
const roleAt = (place: number): Role => (place === 0 ? 'leader' : place === 1 || place === 2 ? 'standby' : 'site')
const ANYBODY: ReadonlySet<Strike['role']> = new Set(['anyone', 'the same'])

/** The armed strike that falls on this site at this row, if any: it is then this site's alone. */
export function takeStrike(dir: string, site: SiteId, row: RowName, view: RunView): Strike | null {
  const role = roleOf(view, site)
  for (const { strike, id } of readArmed(dir)) {
    if (strike.row !== row || !(ANYBODY.has(strike.role) || strike.role === role || strike.role === `next ${nextRoleOf(view, site)}`)) continue
    if ((strike.site ?? site) !== site || view.round.round < (strike.from ?? 0)) continue
    if (claim(struckFile(dir, id), { site, pid: process.pid, run: view.run, round: view.round.round, role })) return strike
  }
  return null
}

function readArmed(dir: string): readonly { readonly strike: Strike; readonly id: string }[] {
  try {
    return JSON.parse(readFileSync(join(dir, ARMED), 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** Whoever makes the file has it. */
function claim(file: string, struck: Struck): boolean {
  try {
    writeSync(openSync(file, 'wx'), `${JSON.stringify(struck)}\n`)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}
