import encodeQR from 'qr'
import { escapeHtml } from './sheet.ts'

/**
 * The card's link as a QR code, in SVG. Level M bears 15 % of dirt and folds; level Q bears more, and its dots are too small for 42 mm.
 * The quiet zone is four dots wide, as ISO/IEC 18004 asks.
 */
export function cardCode(link: string, label: string): string {
  const dots = encodeQR(link, 'raw', { ecc: 'medium', border: 4 })
  const path = dots
    .map((row, y) =>
      runsOf(row)
        .map(([x, length]) => `M${x} ${y}h${length}v1h-${length}z`)
        .join(''),
    )
    .join('')
  const size = dots.length
  return `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="${escapeHtml(label)}" viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges"><path d="${path}"/></svg>`
}

/** Dots side by side as one: a third of the size, and no hairlines between them on paper. */
function runsOf(row: readonly boolean[]): readonly (readonly [x: number, length: number])[] {
  const runs: [number, number][] = []
  row.forEach((dark, x) => {
    const last = runs.at(-1)
    if (dark && last !== undefined && last[0] + last[1] === x) last[1]++
    else if (dark) runs.push([x, 1])
  })
  return runs
}
