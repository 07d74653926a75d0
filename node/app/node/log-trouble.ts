import { RotaError } from '#base/errors.ts'
import type { Log } from '#ports/host.ts'
import type { Progress } from '#round/progress.ts'

/** The chain's last blocks are gone: what they held is done again. */
export const logWentBack = (log: Log, { from, to }: { readonly from: number; readonly to: number }): void =>
  warn(log, 'chain.went-back', new RotaError('ROTA-5012', { from, to }))

/** Passes progress on, and keeps in the log what names another site: a person may want to ask there. */
export function logged(log: Log, tell: (progress: Progress) => void): (progress: Progress) => void {
  return (progress) => {
    if (progress.kind === 'wrong-sum') {
      const { run, round, publisher } = progress
      warn(log, 'round.wrong-sum', new RotaError('ROTA-5507', { run, round, site: publisher }), { run, round, site: publisher })
    }
    if (progress.kind === 'refused-sum') {
      const { run, round } = progress
      warn(log, 'round.refused-sum', new RotaError('ROTA-5518', { run, round, reason: SPOILT[progress.why] }), { run, round })
    }
    if (progress.kind === 'wrong-shares') {
      const { run, round, sites } = progress
      for (const site of sites) warn(log, 'masking.wrong-shares', new RotaError('ROTA-2321', { site, reason: OTHERS }), { run, round, site })
    }
    if (progress.kind === 'cannot-unmask') {
      const { run, round, code, message } = progress
      log.warn('masking.cannot-unmask', { run, round, code, what: message })
    }
    if (progress.kind === 'false-shares') {
      const { run, round, sites } = progress
      for (const site of sites) warn(log, 'masking.false-shares', new RotaError('ROTA-2334', { site, run }), { run, round, site })
    }
    if (progress.kind === 'group-left-out') {
      const { run, round, sites } = progress
      const named = `site ${sites.join(', ')}`
      warn(log, 'round.group-left-out', new RotaError('ROTA-5519', { run, round, sites: named, reason: SPOILT[progress.why] }), { run, round, sites: named })
    }
    if (progress.kind === 'waits-for-sites') {
      const { run, round, sites } = progress
      const error = new RotaError('ROTA-2331', { run, missing: sites.join(', ') })
      log.warn('masking.waits', { run, round, site: sites.join(', '), code: error.code, what: `${error.message} ${error.remedy}` })
    }
    if (progress.kind === 'stays-masked') {
      const { run, round, sites } = progress
      const error = new RotaError('ROTA-2335', { run, round, missing: sites.join(', ') })
      log.warn('masking.stays', { run, round, site: sites.join(', '), code: error.code, what: `${error.message} ${error.remedy}` })
    }
    tell(progress)
  }
}

const OTHERS = 'they are others than it was given, and were left out'
const SPOILT = { bounds: "it is beyond the protocol's bounds", vote: "the model is worse on this site's test rows" } as const

const warn = (log: Log, event: string, { code, message }: RotaError, fields: Parameters<Log['warn']>[1] = {}): void =>
  log.warn(event, { ...fields, code, what: message })
