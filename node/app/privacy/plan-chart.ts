import { ticks } from '#app/results/report-charts.ts'
import { deltaText } from './bare-questions.ts'
import type { PrivacyPlan, SpentAfter } from './plan.ts'

const LINE = '#d5dce4'
const INK = '#1b2430'
const LEFT = 52
const RIGHT = 640
const TOP = 14
const BOTTOM = 300

const CURVES: readonly { readonly name: string; readonly colour: string; readonly dash: string; readonly of: (spent: SpentAfter) => number | null }[] = [
  { name: 'on chain', colour: '#5b6776', dash: '2 3', of: ({ onChain }) => onChain },
  { name: 'RDP', colour: '#b4532a', dash: '7 4', of: ({ rdp }) => rdp },
  { name: 'PRV (tight)', colour: '#0b6e75', dash: '', of: ({ prv }) => prv },
]

/** Epsilon after each round by the three counts, with the target as a line across. */
export function spentChart({ spent, epsilon, delta }: PrivacyPlan): string {
  const rounds = spent.at(-1)?.round ?? 1
  const all = spent.flatMap((line) => CURVES.map(({ of }) => of(line))).filter((value) => value !== null)
  const most = 1.05 * Math.max(epsilon, ...all.filter((value) => value <= 3 * epsilon))
  const x = (round: number): number => LEFT + (round / rounds) * (RIGHT - LEFT)
  const y = (value: number): number => BOTTOM - (value / most) * (BOTTOM - TOP)
  const across = ticks(0, rounds, false)
    .filter(Number.isInteger)
    .map((tick) => `${rule(x(tick), TOP, x(tick), BOTTOM)}<text class="quiet" x="${n(x(tick))}" y="${BOTTOM + 17}" text-anchor="middle">${tick}</text>`)
  const up = ticks(0, most, false).map(
    (tick) => `${rule(LEFT, y(tick), RIGHT, y(tick))}<text class="quiet" x="${LEFT - 7}" y="${n(y(tick) + 4)}" text-anchor="end">${tick}</text>`,
  )
  const target = `<line x1="${LEFT}" x2="${RIGHT}" y1="${n(y(epsilon))}" y2="${n(y(epsilon))}" stroke="${INK}"/><text x="${LEFT + 6}" y="${n(y(epsilon) - 5)}">target ${epsilon}</text>`
  const curves = CURVES.map(({ colour, dash, of }) => {
    const points = spent.map((line) => ({ round: line.round, value: of(line) })).filter(({ value }) => value !== null && value <= most)
    const path = points.map(({ round, value }) => `${n(x(round))},${n(y(value ?? 0))}`).join(' ')
    return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"${dash === '' ? '' : ` stroke-dasharray="${dash}"`}/>`
  })
  const keys = CURVES.map(
    ({ name, colour, dash }, i) =>
      `<line x1="664" x2="700" y1="${40 + 24 * i}" y2="${40 + 24 * i}" stroke="${colour}" stroke-width="2"${dash === '' ? '' : ` stroke-dasharray="${dash}"`}/><text x="708" y="${44 + 24 * i}">${name}</text>`,
  )
  const names = `<text x="${(LEFT + RIGHT) / 2}" y="${BOTTOM + 36}" text-anchor="middle">round</text><text x="12" y="${(TOP + BOTTOM) / 2}" text-anchor="middle" transform="rotate(-90 12 ${(TOP + BOTTOM) / 2})">epsilon</text>`
  const caption = `Epsilon at delta ${deltaText(delta)} once a round is over. All three are upper bounds of the same thing: the tight one is what is spent, the one on chain is what a contract refuses by.`
  return `<figure><svg viewBox="0 0 830 346" role="img" aria-label="Epsilon after each round">${[...across, ...up, target, ...curves, ...keys, names].join('')}</svg><figcaption>${caption}</figcaption></figure>`
}

const rule = (x1: number, y1: number, x2: number, y2: number): string => `<line x1="${n(x1)}" x2="${n(x2)}" y1="${n(y1)}" y2="${n(y2)}" stroke="${LINE}"/>`

const n = (value: number): string => String(Math.round(100 * value) / 100)
