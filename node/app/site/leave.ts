import { membership } from '#adapters/chain/membership.ts'
import { studyDesk } from '#adapters/chain/studies.ts'
import { systemClock } from '#adapters/host/system-host.ts'
import { type PasswordSource, readPassword } from '#adapters/vault/password.ts'
import { openAccount } from '#adapters/vault/site-vault.ts'
import type { StudyCall } from '#app/study/studies.ts'
import { has } from '#base/bitmap.ts'
import { RotaError } from '#base/errors.ts'
import type { RunId, SiteId, StudyId } from '#base/ids.ts'
import type { ChainEvent } from '#ports/chain.ts'
import { type AtSite, atSite, heldProtocols } from './at-site.ts'
import { pauseSite } from './pause.ts'
import { passwordSource } from './site-folder.ts'
import { nodeHealth } from './site-status.ts'

/** What leaving would do, and what of it is done. */
export interface Leaving {
  readonly site: SiteId
  readonly name: string
  /** Studies that the site's steward has approved. */
  readonly studies: readonly { readonly study: StudyId; readonly title: string | null }[]
  /** Rounds that this site has contributed to and that have not ended. */
  readonly underWay: readonly { readonly run: RunId; readonly round: number; readonly phase: string; readonly leads: boolean }[]
  readonly nodeRuns: boolean
  /** Active members but this one. */
  readonly others: readonly string[]
  /** Until then (ISO time) others may want this site's updates of the last rounds, and cannot fetch them once it has left; null when it sent none. */
  readonly serveUntil: string | null
}

export type LeaveStep = 'resting' | 'drained' | 'not drained' | 'withdrawn' | 'resigned'

export interface LeaveCall extends StudyCall {
  readonly stewardPassword: PasswordSource | null
  /** How long rounds under way may take to end; then the others finish them. */
  readonly patienceS: number
}

const LOOK_MS = 500
/** Others keep updates for a day after their round. */
const UPDATE_LIFE_S = 24 * 3600

/** Only looks. @throws ROTA-1204 when the site is no active member */
export const planToLeave = (call: StudyCall): Promise<Leaving> => atSite(call, (at) => look(at, call.signal))

/**
 * Ends a membership in order: abstains from new rounds, waits for those under way, takes back the steward's approvals, and resigns.
 * Can be done again where it was interrupted.
 * @throws ROTA-1204 no member, ROTA-13xx the steward's keystore, ROTA-5211 the last member: then nothing was done
 */
export function leaveNetwork(call: LeaveCall, tell: (step: LeaveStep, leaving: Leaving) => void): Promise<Leaving> {
  return atSite(call, async (at) => {
    const { folder, chain, own } = at
    const source = call.stewardPassword ?? passwordSource(folder.config, call.folder, call.password)
    const { privateKey } = await openAccount(folder.paths.steward, readPassword(source))
    if (at.sites.every(({ id, state }) => id === own.id || state !== 'Active')) throw new RotaError('ROTA-5211', { error: 'SiteRegistry_LastSite' })
    await pauseSite(call.folder, false)
    const before = await look(at, call.signal)
    tell('resting', before)
    const drained = await drain(at, call)
    tell(drained ? 'drained' : 'not drained', before)
    for (const { study } of before.studies) await studyDesk(chain.link, privateKey).withdrawSite(study)
    tell('withdrawn', before)
    const after = { ...(await look(at, call.signal)), studies: before.studies }
    await membership(chain.link, privateKey).resign(own.id)
    tell('resigned', after)
    return after
  })
}

async function look(at: AtSite, signal: AbortSignal): Promise<Leaving> {
  const { chain, own, sites, folder } = at
  const [studies, titles, underWay, health] = await Promise.all([chain.studies(), heldProtocols(at, signal), roundsUnderWay(at), nodeHealth(folder.config)])
  const active = sites.filter(({ state }) => state === 'Active')
  return {
    site: own.id,
    name: own.name,
    studies: studies.filter(({ approved }) => has(approved, own.id)).map(({ id }) => ({ study: id, title: titles.get(id)?.title ?? null })),
    underWay,
    nodeRuns: health !== null,
    others: active.filter(({ id }) => id !== own.id).map(({ name }) => name),
    serveUntil: serveUntil(await chain.events(0, { kinds: ['Contributed'] }), own.id),
  }
}

async function roundsUnderWay({ chain, own }: AtSite): Promise<Leaving['underWay']> {
  const active = (await chain.runs()).filter(({ state }) => state === 'Active')
  const views = await Promise.all(active.map(({ run }) => chain.run(run)))
  return views
    .filter(({ state, round }) => state === 'Active' && has(round.contributed, own.id))
    .map(({ run, round }) => ({ run, round: round.round, phase: round.phase, leads: round.rota[round.turn] === own.id }))
}

function serveUntil(events: readonly ChainEvent[], own: SiteId): string | null {
  const last = events.findLast((e) => e.kind === 'Contributed' && e.site === own)
  return last === undefined ? null : new Date((last.timestamp + UPDATE_LIFE_S) * 1000).toISOString()
}

/** @returns whether every round that this site was in has ended: its node does its steps, and others take over what it does not */
async function drain(at: AtSite, { signal, patienceS }: LeaveCall): Promise<boolean> {
  const untilMs = systemClock.nowMs() + 1000 * patienceS
  for (;;) {
    if ((await roundsUnderWay(at)).length === 0) return true
    if (systemClock.nowMs() >= untilMs || (await nodeHealth(at.folder.config)) === null) return false
    await systemClock.sleep(LOOK_MS, signal)
  }
}
