import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'
import type { Fault } from './ask.ts'
import { LanguageChoice, useWords } from './words.tsx'

/** The frame of a page: a link past the head, the title, the choice of language. Texts: `skip`, `language.choose`. */
export function Page({ title, children, foot, head }: PageParts) {
  const words = useWords()
  return (
    <>
      <a class="skip" href="#main">
        {words('skip')}
      </a>
      <header class="container head">
        <strong class="brand">Rota</strong>
        <span class="grow">{head}</span>
        <LanguageChoice label="language.choose" />
      </header>
      <main class="container" id="main" tabIndex={-1}>
        <h1>{title}</h1>
        {children}
      </main>
      <footer class="container foot">{foot}</footer>
    </>
  )
}

interface PageParts {
  readonly title: string
  readonly children: ComponentChildren
  readonly foot?: ComponentChildren
  readonly head?: ComponentChildren
}

export type Mood = 'good' | 'warn' | 'bad' | 'plain'

/** Something to know. `live` is read out when it appears or changes. */
export function Notice({ mood = 'plain', title, children, live = false }: NoticeParts) {
  const role = live ? (mood === 'bad' ? 'alert' : 'status') : undefined
  return (
    <div class={`notice ${mood}`} {...(role === undefined ? {} : { role })}>
      {title === undefined ? null : <strong class="notice-title">{title}</strong>}
      {children}
    </div>
  )
}

interface NoticeParts {
  readonly mood?: Mood
  readonly title?: string
  readonly children?: ComponentChildren
  readonly live?: boolean
}

/** What went wrong and what to do, in the reader's language; what only the server has words for is folded away beside that, in English. */
export function FaultNotice({ fault }: { readonly fault: Fault }) {
  const words = useWords()
  const { what, remedy, english } = faultWords(words, fault)
  return (
    <Notice mood="bad" live title={what}>
      {remedy === '' ? null : <p>{remedy}</p>}
      {fault.code.startsWith('ROTA-') ? <small>{fault.code}</small> : null}
      {english === '' ? null : (
        <details>
          <summary>{words('error.english')}</summary>
          <p lang="en">{english}</p>
        </details>
      )}
    </Notice>
  )
}

/**
 * By texts `error.<code>` and `error.<code>.remedy`. English has the server's own words for the rest, another language `error.other` and what
 * the server said as `english`, for whoever helps.
 */
export function faultWords(words: ReturnType<typeof useWords>, { code, message, remedy, values }: Fault): FaultWords {
  const filled = { ...values, ...(typeof values['reason'] === 'string' ? { reason: words.reason(values['reason']) } : {}), code }
  const say = (key: string, otherwise: string) => (words.has(key) ? words(key, filled) : otherwise)
  if (words.has(`error.${code}`)) return { what: words(`error.${code}`, filled), remedy: say(`error.${code}.remedy`, ''), english: '' }
  if (words.language === 'en' && message !== '') return { what: message, remedy: say(`error.${code}.remedy`, remedy), english: '' }
  return { what: words('error.other', filled), remedy: words('error.other.remedy', filled), english: `${message} ${remedy}`.trim() }
}

interface FaultWords {
  readonly what: string
  readonly remedy: string
  readonly english: string
}

/** A button that says that it works, and cannot be pressed twice meanwhile; it keeps the keyboard's focus. */
export function Action({ children, busy = false, kind = '', onPress, type = 'button' }: ActionParts) {
  return (
    <button type={type} class={kind} aria-busy={busy} aria-disabled={busy} onClick={(e) => (busy ? e.preventDefault() : onPress?.())}>
      {children}
    </button>
  )
}

interface ActionParts {
  readonly children: ComponentChildren
  readonly busy?: boolean
  /** Pico's classes: secondary, contrast, outline; `danger` is ours. */
  readonly kind?: string
  readonly onPress?: () => void
  readonly type?: 'button' | 'submit'
}

/** An input with its label, a line of help, and what is wrong with it; all three are read out. */
export function Field({ label, help, wrong, children }: FieldParts) {
  const id = useId()
  const said = [help === undefined ? '' : `${id}-help`, wrong === undefined ? '' : `${id}-wrong`].filter((part) => part !== '').join(' ')
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({ id, ...(said === '' ? {} : { 'aria-describedby': said }), ...(wrong === undefined ? {} : { 'aria-invalid': 'true' as const }) })}
      {help === undefined ? null : <small id={`${id}-help`}>{help}</small>}
      {wrong === undefined ? null : (
        <small id={`${id}-wrong`} class="wrong" role="alert">
          {wrong}
        </small>
      )}
    </div>
  )
}

interface FieldParts {
  readonly label: string
  readonly help?: string | undefined
  readonly wrong?: string | undefined
  readonly children: (input: { readonly id: string; readonly 'aria-describedby'?: string; readonly 'aria-invalid'?: 'true' }) => ComponentChildren
}

/** A question over the page. The browser keeps the focus in it, and Escape closes it. */
export function Dialog({ title, open, onClose, children }: DialogParts) {
  const ref = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => {
    const dialog = ref.current
    if (dialog === null || dialog.open === open) return
    if (open) dialog.showModal()
    else dialog.close()
  }, [open])
  return (
    <dialog ref={ref} aria-labelledby={id} onClose={onClose}>
      <article>
        <h2 id={id}>{title}</h2>
        {children}
      </article>
    </dialog>
  )
}

interface DialogParts {
  readonly title: string
  readonly open: boolean
  readonly onClose: () => void
  readonly children: ComponentChildren
}

/** Plain sentences under a heading of their own. */
export function Points({ id, title, points }: { readonly id: string; readonly title: string; readonly points: readonly string[] }) {
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      <ul>
        {points.map((point) => (
          <li key={point}>{point}</li>
        ))}
      </ul>
    </section>
  )
}

/** Prints the page. @param stamp stands on paper alone: when it was printed */
export function PrintFoot({ stamp, label }: { readonly stamp: string; readonly label: string }) {
  return (
    <>
      <p class="print-only">{stamp}</p>
      <div class="buttons">
        <button type="button" class="secondary outline" onClick={() => print()}>
          {label}
        </button>
      </div>
    </>
  )
}
