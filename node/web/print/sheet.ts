const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Text from people, files or the chain, safe between tags and in quoted attributes. */
export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (sign) => ENTITIES[sign] as string)

export const paragraph = (text: string, kind?: string): string => `<p${kind === undefined ? '' : ` class="${kind}"`}>${escapeHtml(text)}</p>`

export const section = (title: string, ...parts: readonly string[]): string => `<section><h2>${escapeHtml(title)}</h2>\n${parts.join('\n')}</section>`

export const facts = (pairs: readonly (readonly [string, string] | null)[]): string =>
  `<dl>${pairs.flatMap((pair) => (pair === null ? [] : [`<dt>${escapeHtml(pair[0])}</dt><dd>${escapeHtml(pair[1])}</dd>`])).join('')}</dl>`

export const listed = (kind: 'ol' | 'ul', items: readonly string[]): string =>
  `<${kind}>${items.map((item) => `<li>${escapeHtml(item)}</li>`).join('')}</${kind}>`

/** Links lead only where a browser fetches pages from: a `javascript:` that somebody wrote into terms stays text. */
export const link = (url: string): string =>
  /^https?:\/\//.test(url) ? `<a href="${escapeHtml(url)}" rel="noreferrer">${escapeHtml(url)}</a>` : escapeHtml(url)

/** One sheet of A4 that asks nothing of anybody: its policy forbids scripts and requests, which it does not have. */
export const sheet = (language: string, title: string, body: string): string => `<!doctype html>
<html lang="${escapeHtml(language)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`

const STYLE = `
:root { color-scheme: light dark; --ink: #1b2430; --quiet: #52606f; --line: #cfd6de; --accent: #0b6168; --paper: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ebf0; --quiet: #a3b0bd; --line: #3a4653; --accent: #6fd0d6; --paper: #141a21; } }
* { box-sizing: border-box; }
html { background: var(--paper); }
body { font: 1rem/1.45 system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif; color: var(--ink); margin: 0; overflow-wrap: anywhere; hyphens: auto; }
main { max-width: 52rem; margin: 0 auto; padding: 1.5rem; }
header { border-bottom: 3px solid var(--accent); padding-bottom: .6rem; margin-bottom: .9rem; }
h1 { font-size: 1.6em; line-height: 1.2; margin: 0 0 .3rem; }
h2 { font-size: 1.08em; margin: 1rem 0 .3rem; color: var(--accent); }
p { margin: .25rem 0; } .quiet { color: var(--quiet); font-size: .86em; }
a { color: inherit; } .mono, footer { hyphens: none; } .mono, .mono a { word-break: break-all; font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .78em; line-height: 1.35; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: .3rem 0; } dt { color: var(--quiet); } dd { margin: 0; min-width: 0; }
ol, ul { margin: .25rem 0; padding-left: 1.3rem; } li { margin: .15rem 0; }
.card { display: grid; grid-template-columns: 11rem 1fr; gap: 1.2rem; align-items: center; border: 1px solid var(--line); border-radius: .5rem; padding: .8rem 1rem; }
.card svg { width: 100%; height: auto; display: block; background: #fff; } .card h2 { margin-top: 0; }
.lines { display: grid; grid-template-columns: 1fr 1fr; gap: 2rem; margin-top: 3.2rem; } .lines span { border-top: 1px solid var(--ink); padding-top: .2rem; color: var(--quiet); font-size: .86em; }
footer { border-top: 1px solid var(--line); margin-top: 1rem; padding-top: .2rem; }
footer dl { font-size: .8em; } footer h2 { margin-top: .5rem; }
@media (max-width: 34rem) { main { padding: 1rem; } .card, .lines { grid-template-columns: 1fr; } .card svg { max-width: 16rem; } dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .35rem; } }
@media print {
  :root { color-scheme: light; --ink: #000; --quiet: #333; --line: #999; --accent: #000; --paper: #fff; }
  body { font-size: 8.4pt; line-height: 1.27; } main { max-width: none; padding: 0; } a { text-decoration: none; }
  header { border-bottom-width: 2px; padding-bottom: 1mm; margin-bottom: 2mm; } header dl, .story dl { grid-template-columns: max-content 1fr max-content 1fr; } .story dl { font-size: .9em; }
  h2 { margin: 2mm 0 .6mm; } p, ol, ul, dl { margin: .5mm 0; } li { margin: .3mm 0; } dl { gap: 0 4mm; }
  .card { grid-template-columns: 42mm 1fr; gap: 4mm; padding: 1.5mm 3mm 1.5mm 1.5mm; break-inside: avoid; }
  section, footer { break-inside: avoid; } footer { margin-top: 2mm; } footer h2 { margin-top: 1mm; } footer dl { font-size: .76em; }
  @page { size: A4; margin: 10mm 14mm; }
}
`
