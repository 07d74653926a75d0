import type { Figure } from './figures.ts'
import type { Row } from './row.ts'

/** For a terminal: each row with its bar, and a ratio (Rota ÷ the other) beside each peer. */
export function tableText(rows: readonly Row[]): string {
  return rows.map(rowText).join('\n')
}

function rowText({ work, unit, rota, bar, aim, peers, note }: Row): string {
  const wish = aim === undefined ? '' : `, aim ${digits(aim)}`
  const verdict = bar === null ? 'no bar' : `bar ${digits(bar)}${wish}: ${rota.median <= bar ? 'holds' : 'MISSED'}`
  return [
    `${work}`,
    `    Rota      ${figureText(rota, unit).padEnd(32)} ${verdict}`,
    ...peers.map((peer) => `    ${peer.name.padEnd(9)} ${figureText(peer, unit).padEnd(32)} ratio ${digits(rota.median / peer.median)}`),
    ...(note === undefined ? [] : [`    (${note})`]),
  ].join('\n')
}

const figureText = ({ median, low, high }: Figure, unit: string): string =>
  low === high ? `${digits(median)} ${unit}` : `${digits(median)} ${unit} (${digits(low)}–${digits(high)})`

/** Three significant digits, without an exponent. */
const digits = (value: number): string => String(Number(value.toPrecision(3)))
