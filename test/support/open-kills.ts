import type { Blow } from './blows.ts'
import type { Moment, Role, Strike } from './strikes.ts'

const ROLES: readonly Role[] = ['leader', 'standby', 'site']
const MOMENTS: readonly Moment[] = ['row', 'send', 'sent']
const RESTARTS = [true, false]
const kill = (row: Strike['row'], role: Strike['role'], at: Moment = 'row'): Strike => ({ row, role, at, signal: 'SIGKILL' })
const here = (row: Strike['row'], more: Partial<Strike> = {}): Strike => ({ ...kill(row, 'anyone'), ...more })
const each = (row: Strike['row']): readonly Blow[] => ROLES.flatMap((role) => RESTARTS.map((restart) => ({ strikes: [kill(row, role)], restart })))

/** Rows that every open round has, and who gets to them. */
export const REACHED: readonly (readonly [Strike['row'], readonly Role[], readonly Moment[]])[] = [
  ['contribute', ROLES, MOMENTS],
  ['witness', ['leader', 'standby'], MOMENTS],
  ['publish', ['leader'], MOMENTS],
  ['attest', ROLES, MOMENTS],
  ['wait', ROLES, ['row']],
]

/** In a run of four that goes on. */
export const openKills: readonly Blow[] = [
  ...REACHED.flatMap(([row, roles, moments]) =>
    roles.flatMap((role) => moments.flatMap((at) => RESTARTS.map((restart) => ({ strikes: [kill(row, role, at)], restart })))),
  ),
  // What was journalled and never sent is sent by the row that follows a restart: killed there too, twice started.
  ...ROLES.flatMap((role) => MOMENTS.map((at) => ({ strikes: [kill('contribute', role, 'send'), kill('contribute-again', 'the same', at)], restart: true }))),
  // A node that starts again has to take over the model first.
  ...ROLES.flatMap((role) => RESTARTS.map((restart) => ({ strikes: [kill('attest', role), kill('adopt', 'the same')], restart }))),
  // The standby publishes when the leader does not: both killed, both started again.
  { strikes: [kill('publish', 'leader'), kill('publish', 'standby')], restart: true },
]

/** Of four, where a model is cut into three slices. */
export const slicedKills: readonly Blow[] = [
  ...(['tell-slices', 'witness', 'attest'] as const).flatMap(each),
  ...RESTARTS.map((restart) => ({ strikes: [kill('publish', 'leader')], restart })),
]

/** Two and three of seven. */
export const atOnceKills: readonly Blow[] = [
  { strikes: [kill('witness', 'leader'), kill('witness', 'standby')], restart: false },
  { strikes: [kill('publish', 'leader'), kill('publish', 'standby')], restart: false },
  { strikes: [kill('contribute', 'site'), kill('publish', 'leader')], restart: true },
  { strikes: [kill('attest', 'leader'), kill('attest', 'standby'), kill('attest', 'site')], restart: false },
]

/**
 * Of seven, one of which publishes a wrong sum when it leads: once both standbys are gone too a plain site publishes, and four honest ones are left. Should it
 * fall itself they are too few until somebody is back.
 */
export const spoiltKills: readonly Blow[] = [
  { strikes: [kill('publish', 'standby'), kill('publish', 'standby')], restart: false },
  { strikes: [kill('publish', 'standby'), kill('publish', 'standby'), kill('publish', 'site')], restart: true },
]

/** Of seven, one of which is gone: whoever moves the phase on for it. */
export const tickKills: readonly Blow[] = ROLES.flatMap((role) =>
  [false, true].map((restart) => ({ strikes: [kill('contribute', 'site'), kill('tick', role)], restart, seeing: role })),
)

/** Of four, at rows that few rounds have: in the order in which they fall. */
export const rareKills = {
  rest: [here('rest'), here('rest', { at: 'sent' }), here('rest', { at: 'send' })],
  abstainAgain: (['row', 'send', 'sent'] as const).map((at) => kill('abstain-again', 'the same', at)),
  unsaid: here('contribute', { site: 3, at: 'send' }),
  ready: [here('ready'), kill('ready', 'the same', 'send'), kill('ready', 'the same', 'sent')],
  halting: [here('contribute', { site: 2, from: 2 }), kill('halt-run', 'the same')],
  away: { ...kill('publish', 'leader'), from: 2 },
  haltNode: here('halt-node'),
} as const
