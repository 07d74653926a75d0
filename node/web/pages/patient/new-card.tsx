import { useMemo } from 'preact/hooks'
import encodeQR from 'qr'
import { Action } from '#web/pages/shared/parts.tsx'
import { useWords } from './words.ts'

/** A card to print or save. */
export function NewCard({ link, programme, hospital }: { readonly link: string; readonly programme: string; readonly hospital: string }) {
  const t = useWords()
  return (
    <>
      <article class="card">
        <Qr text={link} label={t('card.qr')} />
        <div>
          <h3>{t('page.title')}</h3>
          <p>
            {t('card.programme', { programme })}
            <br />
            {t('card.hospital', { name: hospital })}
          </p>
          <p>{t('card.keep')}</p>
          <p class="mono">{link}</p>
        </div>
      </article>
      <div class="buttons">
        <Action kind="secondary" onPress={() => printOnly('card')}>
          {t('card.print')}
        </Action>
        <Action kind="secondary outline" onPress={() => saveFile('rota-card.txt', `${link}\n`, 'text/plain')}>
          {t('card.save')}
        </Action>
      </div>
    </>
  )
}

/** Black on white in every mode: scanners read nothing else. */
function Qr({ text, label }: { readonly text: string; readonly label: string }) {
  const rows = useMemo(() => encodeQR(text, 'raw', { ecc: 'medium', border: 2 }), [text])
  const path = rows.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : []))).join('')
  return (
    <svg class="qr" role="img" aria-label={label} viewBox={`0 0 ${rows.length} ${rows.length}`} shape-rendering="crispEdges">
      <rect width="100%" height="100%" fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  )
}

/** Prints one part of the page: the style sheet hides the rest. */
function printOnly(part: string): void {
  document.body.dataset['print'] = part
  addEventListener('afterprint', () => delete document.body.dataset['print'], { once: true })
  print()
}

export function saveFile(name: string, text: string, type: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }))
  const link = Object.assign(document.createElement('a'), { href: url, download: name })
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
