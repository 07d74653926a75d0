import { useWords } from '#web/pages/shared/words.tsx'
import type { ImportAnswer, ImportRow } from '#wire/desk-api.ts'

const OUTCOMES = ['recorded', 'withdrawn', 'unchanged', 'refused'] as const
const MOODS: Readonly<Record<ImportRow['outcome'], string>> = { recorded: 'good', withdrawn: 'warn', unchanged: '', refused: 'bad' }

/** How many of each. */
export function ImportCounts({ answer, of }: { readonly answer: ImportAnswer; readonly of: 'outcome' | 'did' }) {
  const words = useWords()
  return (
    <ul class="counts">
      {OUTCOMES.map((outcome) => (
        <li key={outcome} class={`tag ${MOODS[outcome]}`}>
          {words(`${of}.${outcome}`)}: {words.number(answer[outcome])}
        </li>
      ))}
    </ul>
  )
}

/** A keyboard must be able to scroll a table that is wider than the window. */
export function ImportRows({ rows }: { readonly rows: readonly ImportRow[] }) {
  const words = useWords()
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard (WCAG 2.1.1)
    <section class="wide" aria-label={words('import.rows')} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {(['patient', 'outcome', 'reason'] as const).map((name) => (
              <th key={name} scope="col">
                {words(`column.${name}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.place}>
              <td>{row.patient ?? <span class="muted">{row.place}</span>}</td>
              <td>
                <span class={`tag ${MOODS[row.outcome]}`}>{words(`outcome.${row.outcome}`)}</span>
              </td>
              <td>
                <Reason row={row} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

/** In the reader's language where there is a text for the code; what FHIR element it was, always. */
function Reason({ row }: { readonly row: ImportRow }) {
  const words = useWords()
  if (row.error === null) return <>{words.has(`reason.${row.reason}`) ? words(`reason.${row.reason}`) : row.reason}</>
  const key = `error.${row.error.code}`
  // The text of the catalogue names the element by itself.
  return (
    <>
      {words.has(key) ? words(key) : row.error.what}
      {words.has(key) && row.path !== null ? <span class="mono"> {row.path}</span> : null} <small class="muted">{row.error.code}</small>
    </>
  )
}
