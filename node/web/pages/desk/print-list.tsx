import { useState } from 'preact/hooks'
import { useWords } from '#web/pages/shared/words.tsx'
import type { Ask } from './desk-page.tsx'

export interface ToPrint {
  readonly print: string
  readonly patient: string
  /** What it is; default: a card. */
  readonly what?: string
}

/** Sheets that wait to be printed. Handed over, they are gone: the desk keeps no patient's key. */
export function PrintList({ ask, prints }: { readonly ask: Ask; readonly prints: readonly ToPrint[] }) {
  const words = useWords()
  const [gone, setGone] = useState<ReadonlySet<string>>(new Set())
  const handOver = (print: string): void =>
    void ask((api) => api.handedOver(print)).then(
      () => setGone((was) => new Set([...was, print])),
      () => undefined,
    )
  return (
    <ul class="prints">
      {prints.map(({ print, patient, what }) => (
        <li key={print}>
          {gone.has(print) ? (
            <span>
              {what ?? patient}: {words('print.gone')}
            </span>
          ) : (
            <>
              <a href={`print/${print}`} target="_blank" rel="noopener">
                {what ?? patient} <span class="muted">({words('print.new-tab')})</span>
              </a>
              <button type="button" class="secondary outline" onClick={() => handOver(print)} aria-label={`${words('print.handed-over')}: ${what ?? patient}`}>
                {words('print.handed-over')}
              </button>
            </>
          )}
        </li>
      ))}
    </ul>
  )
}
