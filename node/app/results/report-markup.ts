import type { TextTable } from './results-tables.ts'

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Text that came from people or files, safe inside a page. */
export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (sign) => ENTITIES[sign] as string)

const NUMERIC = /^(–|…|[<≥]?[-−]?[\d .]*\d(e[-+]?\d+)?( ?(%|[kMG]?B|s|ms|min))?|.*\d (to|of) .*\d|.*\d ([kMG]?B|s|ms)\*|)$/

export function htmlTable({ head, rows, note }: TextTable): string {
  const right = head.map((_, j) => rows.every((row) => NUMERIC.test(row[j] ?? '')))
  const cell = (tag: 'th' | 'td', text: string, j: number): string => `<${tag}${classOf(text, right[j] ?? false)}>${escapeHtml(text)}</${tag}>`
  const body = rows.map((row) => `<tr>${row.map((text, j) => cell('td', text, j)).join('')}</tr>`).join('\n')
  const caption = note === undefined ? '' : `<p class="note">${escapeHtml(note)}</p>`
  return `<table><thead><tr>${head.map((text, j) => cell('th', text, j)).join('')}</tr></thead>\n<tbody>${body}</tbody></table>${caption}`
}

const classOf = (text: string, right: boolean): string => (text.startsWith('0x') ? ' class="hex"' : right ? ' class="n"' : '')

export const section = (title: string, ...parts: readonly string[]): string => `<section><h2>${escapeHtml(title)}</h2>\n${parts.join('\n')}</section>`

export const definitions = (pairs: readonly (readonly [string, string])[]): string =>
  `<dl>${pairs.map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`).join('')}</dl>`

/** One page that asks nothing of the network: a policy in it forbids what the code does not do anyway. */
export const page = (title: string, body: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
${body}
</body>
</html>
`

const STYLE = `
:root { --ink: #1b2430; --quiet: #5b6776; --line: #d5dce4; --accent: #0b6e75; --warm: #b4532a; --paper: #fff; }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; color: var(--ink); background: var(--paper); max-width: 64rem; margin: 2.5rem auto; padding: 0 1.5rem; }
header { border-bottom: 3px solid var(--accent); margin-bottom: 1.5rem; padding-bottom: .75rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .35rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2.2rem 0 .6rem; color: var(--accent); }
p { margin: .4rem 0; } .note, figcaption { color: var(--quiet); font-size: .85rem; }
.badge { display: inline-block; border: 1px solid var(--warm); color: var(--warm); border-radius: .3rem; padding: .05rem .5rem; font-size: .85rem; }
table { border-collapse: collapse; width: 100%; font-size: .85rem; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 600; border-bottom: 1.5px solid var(--ink); vertical-align: bottom; } td { border-bottom: 1px solid var(--line); }
th, td { padding: .22rem .4rem; } td.hex { font: .72rem ui-monospace, monospace; overflow-wrap: anywhere; } .n { text-align: right; } td.n { white-space: nowrap; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: .5rem 0; } dt { color: var(--quiet); } dd { margin: 0; overflow-wrap: anywhere; }
figure { margin: 0 0 .8rem; } .pair { display: grid; grid-template-columns: 1fr 1fr; gap: 1.5rem; }
svg { width: 100%; height: auto; display: block; } svg text { font: 12px system-ui, sans-serif; fill: var(--ink); } svg .quiet { fill: var(--quiet); }
ul { margin: .4rem 0; padding-left: 1.2rem; } li { margin: .25rem 0; }
.two { display: grid; grid-template-columns: 1fr 1fr; gap: 1.5rem; } .two h3 { font-size: .95rem; margin: 0; }
@media screen { section { overflow-x: auto; } }
@media (max-width: 44rem) { .pair, .two { grid-template-columns: 1fr; } }
@media print { :root { font-size: 11px; } body { margin: 0; max-width: none; padding: 0; font-size: 11px; } section { break-inside: avoid-page; } section.long { break-inside: auto; } tr, figure { break-inside: avoid; } @page { margin: 16mm; } }
`
