import { useState } from 'preact/hooks'
import { useWords } from '#web/pages/shared/words.tsx'
import type { Ask } from './desk-page.tsx'

export interface ToPrint {
  readonly print: string
  readonly patient: string
  /** What it is, where that is not plain: then it is named by it, else by the patient. */
  readonly what?: 'card' | 'withdrawal'
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
  const nameOf = ({ what, patient }: ToPrint): string => (what === undefined ? patient : words(`print.${what}`))
  return (
    <ul class="prints">
      {prints.map((one) => (
        <li key={one.print}>
          {gone.has(one.print) ? (
            <span>
              {nameOf(one)}: {words('print.gone')}
            </span>
          ) : (
            <>
              <a href={`print/${one.print}`} target="_blank" rel="noopener">
                {nameOf(one)} <span class="muted">({words('print.new-tab')})</span>
              </a>
              <button type="button" class="secondary outline" onClick={() => handOver(one.print)} aria-label={`${words('print.handed-over')}: ${nameOf(one)}`}>
                {words('print.handed-over')}
              </button>
            </>
          )}
        </li>
      ))}
    </ul>
  )
}
