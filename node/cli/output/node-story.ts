import type { NodeEvent, Progress, RoundLine } from '#app/node/run-node.ts'
import { RotaError } from '#base/errors.ts'
import type { Output } from './output.ts'
import { absencesText } from './participation-text.ts'
import { plain, type Style } from './style.ts'

/** Tells a person what a node does, a line for each thing worth knowing. */
export function createStoryteller(out: Output): (event: NodeEvent) => void {
  const { style } = out
  let restingTold = 0
  return (event) => {
    switch (event.event) {
      case 'started':
        return out.line(`${style.bold(event.name)} (site ${event.site}) runs; ${event.web}/healthz. Ctrl-C stops it.`)
      case 'drill':
        return out.line(style.warn(`Drill: stopped before ${event.row} in run ${event.run} round ${event.round}; kill this process now.`))
      case 'round':
        return out.line(roundLine(event.story, style))
      case 'run-over':
        out.line(`Run ${event.run}: ${event.state}, ${event.rounds} rounds, model ${event.modelRoot.slice(0, 14)}`)
        if (event.absences.length > 0) out.line(absencesText(event.absences, style))
        return
      case 'stopped':
        return out.line('Stopped.')
      case 'progress': {
        const { progress } = event
        if (progress.kind === 'abstained')
          out.line(style.warn(`Run ${progress.run} round ${progress.round}: abstained (${progress.reason}): ${progress.detail}`))
        if (progress.kind === 'contributed' && progress.resting > 0 && restingTold < progress.run) {
          restingTold = progress.run
          out.line(`Run ${progress.run}: ${progress.resting} patients who consent rest; nobody outside is told.`)
        }
        if (progress.kind === 'wish') out.line(wishLine(progress, style))
        if (progress.kind === 'asked-for-time') out.line(`Run ${progress.run} round ${progress.round}: still at work; asked the others for more time.`)
        if (progress.kind === 'wrong-sum')
          out.line(style.bad(`Run ${progress.run} round ${progress.round}: site ${progress.publisher} published a wrong sum; it is thrown out.`))
        if (progress.kind === 'refused-sum') out.line(style.bad(`Run ${progress.run} round ${progress.round}: ${REFUSED[progress.why]}`))
        if (progress.kind === 'wrong-shares')
          out.line(
            style.warn(
              `Run ${progress.run} round ${progress.round}: site ${progress.sites.join(', ')} showed other shares than it was given (ROTA-2321); they are left out.`,
            ),
          )
        if (progress.kind === 'cannot-unmask') out.line(style.warn(`Run ${progress.run} round ${progress.round}: ${progress.code} ${progress.message}`))
        if (progress.kind === 'false-shares')
          out.line(
            style.bad(
              `Run ${progress.run} round ${progress.round}: nobody can take off the mask of site ${progress.sites.join(', ')}, whose shares are false. All others repeat the round.`,
            ),
          )
        if (progress.kind === 'group-left-out')
          out.line(
            style.bad(`Run ${progress.run} round ${progress.round}: the group of site ${progress.sites.join(', ')} is left out. ${LEFT_OUT[progress.why]}`),
          )
        if (progress.kind === 'waits-for-sites') {
          const { code, message, remedy } = new RotaError('ROTA-2331', { run: progress.run, missing: progress.sites.join(', ') })
          out.line(style.warn(`${code} ${message} ${remedy}`))
        }
        if (progress.kind === 'stays-masked') {
          const { code, message, remedy } = new RotaError('ROTA-2335', { run: progress.run, round: progress.round, missing: progress.sites.join(', ') })
          out.line(style.warn(`${code} ${message} ${remedy}`))
        }
        if (progress.kind === 'trouble') out.line(style.warn(`${progress.code} ${progress.message}`))
      }
    }
  }
}

/** Members see who has runs halted, so that they can ask why where it goes on. */
function wishLine({ run, round, site, timesToday }: Extract<Progress, { kind: 'wish' }>, style: Style): string {
  const line = `Run ${run} round ${round}: to be halted for site ${site}, whose patients changed.`
  return timesToday > 1 ? style.warn(`${line} That makes ${timesToday} runs within a day: ask it why.`) : line
}

const REFUSED = {
  bounds: "the sum is beyond what updates inside the protocol's bounds add up to; this site refused it.",
  vote: "the model is worse on this site's own test rows than the protocol tolerates; this site refused it.",
} as const

const LEFT_OUT = {
  bounds: "Its sum is beyond what updates inside the protocol's bounds add up to.",
  vote: "With its sum the model is worse on this site's own test rows.",
} as const

/** Leader, sites in, bytes, seconds, change: one round on one line; who was not in it, and why, at its end. */
export function roundLine(story: RoundLine, style: Style = plain): string {
  const name = (site: number): string => story.names[site] ?? `site ${site}`
  const led = story.publisher === null || story.publisher === story.leader ? name(story.leader) : `${name(story.leader)} → ${name(story.publisher)}`
  const missing = story.absences.length > 0 ? style.warn(`  without ${story.absences.join(', ')}`) : ''
  const change = story.change === null ? '' : `  Δ ${story.change.toExponential(1)}`
  return `Run ${story.run} round ${String(story.round).padStart(2)}  ${(story.stage ?? story.state).padEnd(10)} ${story.state.padEnd(7)} led by ${led.padEnd(24)} ${story.included.length} in  ${kilobytes(story.bytesIn)} in ${kilobytes(story.bytesOut)} out  ${story.seconds} s${change}${missing}`
}

const kilobytes = (bytes: number): string => (bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`)
