import { useEffect, useRef, useState } from 'preact/hooks'
import { type Fault, faultOf } from '#web/pages/shared/ask.ts'
import { Action, FaultNotice, Field, Notice } from '#web/pages/shared/parts.tsx'
import { useWords } from '#web/pages/shared/words.tsx'
import type { DeskProgramme, ImportAnswer, ImportFile } from '#wire/desk-api.ts'
import { faultIn, type Imported } from './desk-api.ts'
import type { Ask } from './desk-page.tsx'
import { ImportCounts, ImportRemedies, ImportRows } from './import-rows.tsx'
import { PrintList } from './print-list.tsx'
import { SheetLanguage } from './sheet-language.tsx'

const MOST_BYTES = 8 * 1024 * 1024

/** A FHIR file: what it would do comes first, and what of it is refused and why; then the steward decides. */
export function ImportView({ ask }: { readonly ask: Ask }) {
  const words = useWords()
  const [known, setKnown] = useState<readonly DeskProgramme[] | null>(null)
  const programmes = known ?? []
  const loading = useRef<Promise<readonly DeskProgramme[]> | null>(null)
  const [programme, setProgramme] = useState('')
  const [language, setLanguage] = useState(words.language)
  const [wrong, setWrong] = useState<string>()
  const [shown, setShown] = useState<{ readonly file: ImportFile; readonly answer: ImportAnswer } | null>(null)
  const [done, setDone] = useState<Imported | null>(null)
  const [fault, setFault] = useState<Fault | null>(null)
  const [busy, setBusy] = useState(false)
  const input = useRef<HTMLInputElement>(null)
  const result = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    loading.current = ask((api) => api.programmes())
    loading.current.then(setKnown, (error) => setFault(faultOf(error)))
  }, [])

  async function during(work: () => Promise<void>): Promise<void> {
    if (busy) return
    setBusy(true)
    setFault(null)
    await work().catch((error) => setFault(faultOf(error)))
    setBusy(false)
    result.current?.focus()
  }

  function preview(event: SubmitEvent): void {
    event.preventDefault()
    const file = input.current?.files?.[0]
    const problem = file === undefined ? words('import.file.none') : file.size > MOST_BYTES ? words('import.file.large') : undefined
    setWrong(problem)
    setDone(null)
    setShown(null)
    if (file === undefined || problem !== undefined) {
      input.current?.focus()
      return
    }
    void during(async () => {
      const [first] = (await loading.current) ?? []
      if (first === undefined) return
      const asked = { fhir: await file.text(), programme: programme || first.name, language }
      setShown({ file: asked, answer: await ask((api) => api.preview(asked)) })
    })
  }

  const take = (file: ImportFile): void =>
    void during(async () => {
      setDone(await ask((api) => api.importAll({ ...file, language })))
      setShown(null)
    })

  return (
    <>
      <p>{words('import.about')}</p>
      {known?.length === 0 ? <Notice>{words('person.no-programmes')}</Notice> : null}
      <form onSubmit={preview} noValidate>
        <Field label={words('import.programme')}>
          {(field) => (
            <select {...field} value={programme || (programmes[0]?.name ?? '')} onChange={(e) => setProgramme(e.currentTarget.value)}>
              {programmes.map(({ name }) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label={words('import.file')} help={words('import.file.help')} wrong={wrong}>
          {(field) => <input {...field} ref={input} type="file" accept=".json,.ndjson,application/json,application/fhir+json" />}
        </Field>
        <SheetLanguage value={language} onChoose={setLanguage} />
        <Action type="submit" busy={busy}>
          {words('import.preview')}
        </Action>
      </form>
      {fault === null ? null : <FaultNotice fault={fault} />}
      {shown === null ? null : (
        <section aria-labelledby="shown">
          <h2 id="shown" ref={result} tabIndex={-1}>
            {words('import.shown')}
          </h2>
          <ImportCounts answer={shown.answer} of="outcome" />
          <ImportRows rows={shown.answer.rows} />
          <ImportRemedies rows={shown.answer.rows} />
          {shown.answer.recorded + shown.answer.withdrawn === 0 ? (
            <Notice>{words('import.nothing')}</Notice>
          ) : (
            <Action busy={busy} onPress={() => take(shown.file)}>
              {shown.answer.refused === 0 ? words('import.take') : words.count('import.take-without', shown.answer.refused)}
            </Action>
          )}
        </section>
      )}
      {done === null ? null : (
        <section aria-labelledby="done">
          <h2 id="done" ref={result} tabIndex={-1}>
            {words('import.done')}
          </h2>
          <ImportCounts answer={done} of="did" />
          {done.problem === null ? null : <FaultNotice fault={faultIn(done.problem)} />}
          {done.prints.length === 0 ? null : <h3>{words('import.prints')}</h3>}
          <PrintList ask={ask} prints={done.prints} />
        </section>
      )}
    </>
  )
}
