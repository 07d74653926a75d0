import { Fragment } from 'preact'
import { faultWords } from '#web/pages/shared/parts.tsx'
import { useWords } from '#web/pages/shared/words.tsx'
import type { ImportAnswer, ImportRow } from '#wire/desk-api.ts'
import { faultIn } from './desk-api.ts'

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
            {(['patient', 'outcome'] as const).map((name) => (
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
                <span class="why">
                  <Reason row={row} />
                </span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

/** What becomes of it, or which FHIR element cannot be taken and why. */
function Reason({ row }: { readonly row: ImportRow }) {
  const words = useWords()
  if (row.error === null) return <>{words.reason(row.reason)}</>
  return (
    <>
      {faultWords(words, faultIn(row.error)).what} <small class="code">{row.error.code}</small>
    </>
  )
}

/** What to do about what is refused: once for each kind. */
export function ImportRemedies({ rows }: { readonly rows: readonly ImportRow[] }) {
  const words = useWords()
  const kinds = new Map(rows.flatMap(({ error }) => (error === null ? [] : [[error.code, error] as const])))
  if (kinds.size === 0) return null
  return (
    <>
      <h3>{words('import.remedies')}</h3>
      <dl class="remedies">
        {[...kinds].map(([code, error]) => (
          <Fragment key={code}>
            <dt>{code}</dt>
            <dd>{faultWords(words, faultIn(error)).remedy}</dd>
          </Fragment>
        ))}
      </dl>
    </>
  )
}
