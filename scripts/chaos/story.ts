import type { FaultPlan } from '#adapters/sim/faults.ts'
import type { SiteId } from '#base/ids.ts'
import type { Broken } from './invariants/all.ts'
import { calmFromMs } from './invariants/time.ts'
import { type Draw, type Entry, only, type RunRecord } from './record.ts'

/** What the chain says once a row is done: the row itself then tells nothing more. */
const ECHO: Readonly<Record<string, string>> = {
  contribute: 'contributes',
  'contribute-again': 'contributes',
  witness: 'says that it holds',
  publish: 'publishes',
  attest: 'attests',
  ready: 'is ready',
}
const QUIET = new Set(['tick', 'wait'])

/** A run as a person reads it: what was drawn, then what came to pass, moment by moment, then what is broken. */
export function storyOf(record: RunRecord, broken: readonly Broken[]): string {
  const startMs = record.timeline[0]?.atMs ?? 0
  return [...prologue(record), '', ...timelineOf(record.timeline, startMs), '', ...epilogue(record, broken, startMs)].join('\n')
}

function prologue({ draw, honest }: RunRecord): string[] {
  const { plan, rules } = draw
  const liars = Array.from({ length: draw.sites }, (_, i) => i as SiteId).filter((site) => !honest.includes(site))
  return [
    `Seed ${draw.seed}: ${draw.sites} sites, study "${draw.study}"${rules.slices > 1 ? ` in ${rules.slices} slices` : ''}, a round needs ${rules.quorum} updates; at most ${plan.mostInTrouble ?? draw.sites} sites in trouble at a time.`,
    ...noise(plan),
    ...liars.map((site) => `Site ${site} lies: ${plan.lies.flatMap((entry) => (entry.site === site ? [entry.lie] : [])).join(', ')}.`),
    ...(plan.clockOffsets.length > 0
      ? [`Clocks are off by ${plan.clockOffsets.map(({ site, offsetMs }) => `${site}: ${(offsetMs / 1_000).toFixed(0)} s`).join(', ')}.`]
      : []),
    ...plan.training.map(({ site, ms: [least, most] }) => `Site ${site} trains for ${seconds(least)} to ${seconds(most)}.`),
    ...(plan.joining === null ? [] : [`Site ${plan.joining} is no founder.`]),
    ...plan.late.map(({ site, afterMs }) => `Site ${site} starts ${seconds(afterMs)} late.`),
    ...plan.crashes.map(
      (c) => `Site ${c.site} is to die ${c.when === 'torn' ? 'while it writes' : c.when} its ${nth(c.nth)} ${c.point}, for ${seconds(c.backAfterMs ?? 0)}.`,
    ),
    ...plan.disturbances.map((d) => `${momentText(d)}: ${disturbanceText(d)}.`),
  ]
}

function noise({ gossip, fetchLoss }: FaultPlan): string[] {
  const percent = (share: number): string => `${Math.round(100 * share)} %`
  const { loss, duplicate, delay, slowMs } = gossip
  return [
    `Of all messages ${percent(loss)} are lost, ${percent(duplicate)} come twice, ${percent(delay)} come ${seconds(slowMs)} late; ${percent(fetchLoss)} of what is fetched does not arrive.`,
  ]
}

const nth = (n: number): string => ['first', 'second', 'third', 'fourth'][n - 1] ?? `${n}th`
const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`
const momentText = ({ at }: Draw['plan']['disturbances'][number]): string => `In round ${at.round}, ${at.afterMs} ms into ${at.phase}`

function disturbanceText(d: Draw['plan']['disturbances'][number]): string {
  const details = Object.entries(d).filter(([name]) => name !== 'at' && name !== 'kind')
  const told = details.map(([name, value]) => `${WORDS[name] ?? name} ${name.endsWith('Ms') ? seconds(value as number) : String(value)}`)
  return `${d.kind}${told.length > 0 ? `, ${told.join(', ')}` : ''}`
}

const WORDS: Readonly<Record<string, string>> = { backAfterMs: 'back after', lastsMs: 'for', byMs: 'by', who: 'at', group: 'sites' }

interface Line {
  readonly entry: Entry
  /** All sites of which the same is to be told. */
  readonly sites: SiteId[]
}

/** In the order in which it came; what several sites do one after another stands in one line. */
function timelineOf(timeline: readonly Entry[], startMs: number): string[] {
  const told = timeline.filter((entry, i) => entry.kind !== 'row' || !(QUIET.has(entry.text) || echoes(timeline, i)))
  const lines: Line[] = []
  for (const entry of told) {
    const same = lines.findLast((line, i) => i >= lines.length - 4 && sameThing(line.entry, entry))
    if (same !== undefined && entry.site !== null && !same.sites.includes(entry.site)) same.sites.push(entry.site)
    else lines.push({ entry, sites: entry.site === null ? [] : [entry.site] })
  }
  return lines.flatMap((line) => [...(opensRound(line.entry) ? [''] : []), lineOf(line, startMs)])
}

/** Whether the next thing that this site does is what the row was done for. */
function echoes(timeline: readonly Entry[], at: number): boolean {
  const row = timeline[at] as Entry
  const echo = ECHO[row.text]
  const next = timeline.find((entry, i) => i > at && entry.site === row.site && entry.kind !== 'row')
  return echo !== undefined && next?.kind === 'chain' && next.text.startsWith(echo) && next.round === row.round
}

const SOON_MS = 1_000
const sameThing = (a: Entry, b: Entry): boolean =>
  a.kind === b.kind && a.text === b.text && a.round === b.round && a.site !== null && b.site !== null && a.kind !== 'fault' && b.atMs - a.atMs < SOON_MS

const opensRound = (entry: Entry): boolean => entry.kind === 'chain' && entry.text.startsWith(`round ${entry.round} opens`)

function lineOf({ entry, sites }: Line, startMs: number): string {
  const at = seconds(entry.atMs - startMs).padStart(9)
  const who = sites.length === 0 ? 'chain' : `site${sites.length > 1 ? 's' : ''} ${sites.join(' ')}`
  const text = entry.kind === 'row' ? `begins to ${entry.text}` : entry.text
  return `${at}  ${entry.kind === 'fault' ? '!!' : '  '} ${(entry.site === null && entry.kind === 'fault' ? 'all' : who).padEnd(16)}  ${text}`
}

function epilogue(record: RunRecord, broken: readonly Broken[], startMs: number): string[] {
  const { view, events, gaveUp } = record
  const count = (kind: 'RoundOpened' | 'RoundVoid' | 'RoundRefused' | 'PublicationDiscarded'): number => only(events, kind).length
  return [
    gaveUp === null ? `The run is ${view?.state} after ${seconds(record.endMs - startMs)}.` : `The run was given up: ${gaveUp}.`,
    `${count('RoundOpened')} rounds opened, ${view?.closedRounds ?? 0} closed, ${count('RoundVoid')} void, ${count('RoundRefused')} refused, ${count('PublicationDiscarded')} publications discarded.`,
    Number.isFinite(calmFromMs(record)) ? `All was calm from ${seconds(Math.max(0, calmFromMs(record) - startMs))} on.` : 'Somebody was in trouble to the end.',
    ...(broken.length === 0 ? ['Every invariant holds.'] : broken.map(({ invariant, what }) => `BROKEN ${invariant}: ${what}`)),
  ]
}
