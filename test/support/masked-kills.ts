import type { Blow } from './blows.ts'
import type { Moment, Role, Strike } from './strikes.ts'

const ROLES: readonly Role[] = ['leader', 'standby', 'site']
const MOMENTS: readonly Moment[] = ['row', 'send', 'sent']
const RESTARTS = [true, false]
const kill = (row: Strike['row'], role: Strike['role'], at: Moment = 'row'): Strike => ({ row, role, at, signal: 'SIGKILL' })
const again = (row: Strike['row'], at: Moment = 'row'): Strike => kill(row, 'the same', at)
const each = (make: (role: Role) => Omit<Blow, 'restart'>): readonly Blow[] => ROLES.flatMap((role) => RESTARTS.map((restart) => ({ ...make(role), restart })))

/** Rows that every masked round has, and who gets to them. Patients may rest, so that each site says all the time whether it wishes a halt. */
const REACHED: readonly (readonly [Strike['row'], readonly Role[]])[] = [
  ['wish', ROLES],
  ['key', ROLES],
  ['contribute', ROLES],
  ['witness', ['leader', 'standby']],
  ['publish', ['leader']],
  ['release', ROLES],
  ['attest', ROLES],
  ['prepare', ROLES],
  ['wait', ROLES],
]

/** In a masked run that goes on. */
export const maskedKills: readonly Blow[] = [
  ...REACHED.flatMap(([row, roles]) => roles.flatMap((role) => RESTARTS.map((restart) => ({ strikes: [kill(row, role)], restart })))),
  // Sent, and no answer seen: what the chain has then is not said twice.
  ...ROLES.flatMap((role) => (['key', 'contribute'] as const).map((row) => ({ strikes: [kill(row, role, 'sent')], restart: true }))),
  // Journalled and never sent: the row that follows a restart sends it, and is killed there too.
  ...ROLES.flatMap((role) => MOMENTS.map((at) => ({ strikes: [kill('key', role, 'send'), again('key-again', at)], restart: true }))),
  ...ROLES.map((role) => ({ strikes: [kill('key', role, 'send'), again('key-again')], restart: false })),
  ...each((role) => ({ strikes: [kill('contribute', role, 'send'), again('contribute-again')] })),
  ...each((role) => ({ strikes: [kill('attest', role), again('adopt')] })),
  // Who starts again between two rounds tells its keys once more; who had not dealt for the next round deals in it.
  ...each((role) => ({ strikes: [kill('attest', `next ${role}`), again('advertise')], as: role })),
  ...each((role) => ({ strikes: [kill('prepare', `next ${role}`), again('deal')], as: role })),
  ...each((role) => ({ strikes: [kill('key', role), again('sit-out')], trouble: 'its secrets gone' })),
  ...each((role) => ({ strikes: [kill('key', role), again('rest')], trouble: 'in maintenance' })),
  ...each((role) => ({ strikes: [kill('key', role), again('key', 'send'), again('abstain-again')], trouble: 'its rows broken' })),
  ...each((role) => ({ strikes: [{ ...kill('ready', role), site: 3 }], back: { site: 3, as: role } })),
]

/** Of seven: one drops out of a round in which it has keyed, and whoever moves the phase on for it is killed there; or leader and standby before they publish. */
export const maskedOfSeven: readonly Blow[] = [
  ...each((role) => ({ strikes: [kill('contribute', 'site'), kill('tick', role)], seeing: role })),
  ...RESTARTS.map((restart) => ({ strikes: [kill('publish', 'leader'), kill('publish', 'standby')], restart })),
]

/** What those say whose sum was refused. */
export const heldBack: readonly Blow[] = each((role) => ({ strikes: [kill('hold-back', role)] }))

/** Site that is struck where another complains falsely in each round. */
const JUSTIFYING = 2

/** Where some do not hold all deals, or say so. */
export const justifyKills: readonly Blow[] = [
  ...each((role) => ({ strikes: [{ ...kill('justify', role), site: JUSTIFYING }] })),
  ...ROLES.flatMap((role) => (['send', 'sent'] as const).map((at) => ({ strikes: [{ ...kill('justify', role, at), site: JUSTIFYING }], restart: true }))),
]

/** Sites that are struck where 1, 2 and 3 of five pass wrong sums: these close the round at once, so that who disputes it stands in the rota of the next. */
const DISPUTING: Readonly<Record<Role, number>> = { leader: 4, standby: 4, site: 0 }

/** Where a sum is wrong: before it is disputed, and before and after the call goes out. */
export const disputeKills: readonly Blow[] = [
  ...each((role) => ({ strikes: [{ ...kill('dispute', role), site: DISPUTING[role] }] })),
  ...(['send', 'sent'] as const).map((at) => ({ strikes: [{ ...kill('dispute', 'anyone', at), site: DISPUTING.site }], restart: true })),
]

/** Before a round's noise is paid for. */
export const chargedKills: readonly Blow[] = [
  ...each((role) => ({ strikes: [kill('charge', role)] })),
  ...ROLES.flatMap((role) => (['send', 'sent'] as const).map((at) => ({ strikes: [kill('charge', role, at)], restart: true }))),
]

const HERE = 3
const THERE = 4
const killAt = (site: number, row: Strike['row'], at: Moment = 'row'): Strike => ({ ...kill(row, 'anyone', at), site })

/** Of one site, one after another; it starts again after each but the last. */
export const fallenInTurn = {
  site: HERE,
  strikes: [killAt(HERE, 'key'), killAt(HERE, 'sit-out'), killAt(HERE, 'sit-out', 'send'), killAt(HERE, 'abstain-again'), killAt(HERE, 'ready')],
} as const

/** Without these two of six nobody can take the masks off: the round waits. One then has other shares in its journal. */
export const shownOther = { sites: [HERE, THERE], away: [killAt(HERE, 'release'), killAt(THERE, 'release')], strikes: [killAt(HERE, 'halt-node')] } as const

/** Whoever would halt a run for a site whose patients changed. */
export const haltedKills: readonly Blow[] = each((role) => ({ strikes: [kill('halt-run', role)] }))
