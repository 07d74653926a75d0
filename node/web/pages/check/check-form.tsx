import { useRef, useState } from 'preact/hooks'
import { NOT_PINNED } from '#core/consent/cohort-proof.ts'
import { readCohortQuestion } from '#core/consent/cohort-sample.ts'
import { pinnedBy } from '#patient/pinned.ts'
import { readReceiptText } from '#patient/receipt.ts'
import { Action, Field } from '#web/pages/shared/parts.tsx'
import { check, type Known, type Outcome } from './check.ts'
import { nameOf, type Portals } from './portals.ts'
import { Result } from './result.tsx'
import { readShown, type Shown } from './shown-file.ts'
import { type Key, useWords } from './words.ts'

type Wrong = Partial<Record<'file' | 'receipt' | 'programme' | 'question' | 'draws', Key>>
type Given = Omit<Known, 'optOut'>

/** The file, and what whoever checks it knows by themselves. */
export function CheckForm({ portals }: { readonly portals: Portals }) {
  const t = useWords()
  const [shown, setShown] = useState<Shown | null>(null)
  const [wrong, setWrong] = useState<Wrong>({})
  const [busy, setBusy] = useState(false)
  const [outcome, setOutcome] = useState<Outcome | null>(null)
  const form = useRef<HTMLFormElement>(null)
  const field = (name: string): HTMLInputElement | null => form.current?.querySelector(`[name=${name}]`) ?? null
  const hospitalOf = ({ file: { site } }: Shown): string => {
    const portal = portals.known.find(({ place }) => place.site?.id === site)
    return portal === undefined ? t('hospital.number', { id: site }) : nameOf(portal)
  }
  const said = (key: Key | undefined): string | undefined => (key === undefined ? undefined : t(key))

  const openFile = async (file: File | undefined) => {
    setOutcome(null)
    const read = file === undefined ? null : readShown(await file.text())
    setShown(read)
    setWrong(file === undefined || read !== null ? {} : { file: 'file.wrong' })
  }
  /** What was said of what stood there before is said no more. */
  const forget = () => {
    setOutcome(null)
    setWrong({})
  }
  const submit = async (e: SubmitEvent) => {
    e.preventDefault()
    setOutcome(null)
    if (busy) return
    if (shown === null) return setWrong({ file: 'file.missing' })
    const given = shown.kind === 'proof' ? await byReceipt(field('receipt')?.files?.[0], portals) : await byHand(shown, field)
    if ('wrong' in given) return setWrong(given.wrong)
    setWrong({})
    setBusy(true)
    setOutcome(await check(portals, shown, { ...given, optOut: field('optOut')?.checked === true }))
    setBusy(false)
  }
  return (
    <>
      <form ref={form} onSubmit={submit} onInput={forget} noValidate>
        <Field label={t('file')} help={t('file.help')} wrong={said(wrong.file)}>
          {(input) => <input {...input} name="file" type="file" accept=".json,application/json" onChange={(e) => void openFile(e.currentTarget.files?.[0])} />}
        </Field>
        {shown === null ? null : <About shown={shown} hospital={hospitalOf(shown)} />}
        {shown?.kind === 'proof' ? (
          <Field label={t('receipt')} help={t('receipt.help')} wrong={said(wrong.receipt)}>
            {(input) => <input {...input} name="receipt" type="file" accept=".json,application/json" />}
          </Field>
        ) : null}
        {shown === null || shown.kind === 'proof' ? null : (
          <Field label={t('programme')} help={t('programme.help')} wrong={said(wrong.programme)}>
            {(input) => <input {...input} name="programme" type="text" list="programmes" autocomplete="off" spellcheck={false} required />}
          </Field>
        )}
        {shown?.kind === 'sample' && shown.file.seed !== null ? (
          <Field label={t('question')} help={t('question.help')} wrong={said(wrong.question)}>
            {(input) => <input {...input} name="question" type="file" accept=".json,application/json" />}
          </Field>
        ) : null}
        {shown?.kind === 'sample' && shown.file.seed === null ? (
          <Field label={t('draws')} help={t('draws.help')} wrong={said(wrong.draws)}>
            {(input) => <input {...input} name="draws" type="number" min="1" max="1000" inputMode="numeric" autocomplete="off" required />}
          </Field>
        ) : null}
        {shown?.kind === 'opening' ? (
          <label>
            <input type="checkbox" name="optOut" />
            {t('opt-out')}
          </label>
        ) : null}
        <datalist id="programmes">
          {[...new Set(portals.known.flatMap(({ place }) => place.programmes.map(({ name }) => name)))].map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
        <div class="buttons">
          <Action type="submit" busy={busy}>
            {t(busy ? 'checking' : 'check')}
          </Action>
        </div>
      </form>
      <div role="status" class="result">
        {outcome === null || shown === null ? null : <Result outcome={outcome} shown={shown} hospital={hospitalOf(shown)} />}
      </div>
    </>
  )
}

/** What the file says of itself: nothing of it is shown to be so yet. */
function About({ shown: { kind, file }, hospital }: { readonly shown: Shown; readonly hospital: string }) {
  const t = useWords()
  return (
    <p class="about" role="status">
      {t(`about.${kind}`, { hospital, run: file.run, round: file.round })}
    </p>
  )
}

/** The holder's receipt says whose record, which programme and which network. */
async function byReceipt(file: File | undefined, { known }: Portals): Promise<Given | { readonly wrong: Wrong }> {
  if (file === undefined) return { wrong: { receipt: 'receipt.missing' } }
  const receipt = readReceiptText(await file.text())
  if (receipt === null) return { wrong: { receipt: 'receipt.wrong' } }
  const network = known[0]?.place.network
  const isHere = receipt.network !== undefined && receipt.network?.contracts === network?.contracts && Number(receipt.network?.chainId) === network?.chainId
  if (!isHere) return { wrong: { receipt: 'receipt.network' } }
  return { programme: receipt.programme, tag: receipt.tag, pinned: pinnedBy(receipt), question: null, draws: null }
}

async function byHand(
  { file }: Exclude<Shown, { readonly kind: 'proof' }>,
  field: (name: string) => HTMLInputElement | null,
): Promise<Given | { readonly wrong: Wrong }> {
  const programme = field('programme')?.value.trim() ?? ''
  if (programme === '') return { wrong: { programme: 'programme.missing' } }
  const given = { programme, tag: null, pinned: NOT_PINNED, question: null, draws: null }
  if (!('drawn' in file)) return given
  if (file.seed === null) {
    const draws = Number(field('draws')?.value)
    return Number.isInteger(draws) && draws > 0 ? { ...given, draws } : { wrong: { draws: 'draws.missing' } }
  }
  const asked = field('question')?.files?.[0]
  if (asked === undefined) return { wrong: { question: 'question.missing' } }
  const question = readCohortQuestion(await asked.text())
  return question === null ? { wrong: { question: 'question.wrong' } } : { ...given, question }
}
