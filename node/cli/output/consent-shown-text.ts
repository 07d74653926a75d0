import type { Agreement, ShownConsents, ShownEntry } from '#app/consent/consent-show.ts'
import { shortHex } from '#base/format.ts'
import type { Style } from './style.ts'
import { table } from './table.ts'

const ROADS: Readonly<Record<ShownEntry['road'], string>> = { desk: 'at the desk', import: 'imported', page: 'by card and page', chain: 'found on chain' }

export function shownText({ entries }: ShownConsents, style: Style): string {
  const rows = entries.map(({ kind, at, road, tag, terms, until }) => [
    `${at.slice(0, 19).replace('T', ' ')} UTC`,
    kind === 'granted' ? 'agreed' : 'withdrawn',
    ROADS[road],
    tag === null ? 'none' : shortHex(tag),
    terms === null ? '' : `version ${terms.version}`,
    until === null ? '' : until.slice(0, 10),
  ])
  return [
    table(['when', 'what', 'by which road', 'tag', 'terms', 'until'], rows, style),
    ...entries.flatMap(({ agreement }) => (agreement === null ? [] : ['', agreementText(agreement, style)])),
  ].join('\n')
}

function agreementText({ what, at, tag, signature, signer, holds }: Agreement, style: Style): string {
  const said = holds ? style.good('holds') : style.bad('does not hold: the record was altered, or it was signed by another card')
  return [
    `Signed by the patient on the page, ${at.slice(0, 19).replace('T', ' ')} UTC: ${said}`,
    `  what       ${what}`,
    `  by tag     ${tag}`,
    `  key        ${signer ?? 'none'}`,
    `  signature  ${signature}`,
  ].join('\n')
}
