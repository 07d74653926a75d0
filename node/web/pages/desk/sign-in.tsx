import { useRef, useState } from 'preact/hooks'
import { type Fault, faultOf } from '#web/pages/shared/ask.ts'
import { Action, FaultNotice, Field, Page } from '#web/pages/shared/parts.tsx'
import { useWords } from '#web/pages/shared/words.tsx'
import { askSignIn, type Place, type Sitting } from './desk-api.ts'

interface Parts {
  readonly place: Place
  /** Why the session before is over. */
  readonly fault: Fault | null
  readonly onEnter: (session: Sitting) => void
}

/** The way in: name, password and the code of the app, or the hospital's own service. */
export function SignIn({ place, fault: before, onEnter }: Parts) {
  const words = useWords()
  const [fault, setFault] = useState<Fault | null>(before)
  const [busy, setBusy] = useState(false)
  const form = useRef<HTMLFormElement>(null)

  async function enter(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    if (busy) return
    setBusy(true)
    setFault(null)
    const fields = new FormData(form.current ?? undefined)
    const text = (name: string): string => String(fields.get(name) ?? '')
    try {
      onEnter(await askSignIn(text('name').trim(), text('password'), text('code').trim()))
    } catch (error) {
      setFault(faultOf(error))
      setBusy(false)
      const code = form.current?.elements.namedItem('code') as HTMLInputElement | null
      if (code !== null) code.value = ''
      ;(form.current?.elements.namedItem('name') as HTMLInputElement | null)?.focus()
    }
  }

  return (
    <Page title={words('sign-in.title', { site: place.site })} foot={<p>{words('sign-in.foot')}</p>}>
      {fault === null ? null : <FaultNotice fault={fault} />}
      <form ref={form} onSubmit={enter}>
        <Field label={words('sign-in.name')}>
          {(input) => <input {...input} name="name" autocomplete="username" autocapitalize="none" spellcheck={false} required />}
        </Field>
        <Field label={words('sign-in.password')}>
          {(input) => <input {...input} name="password" type="password" autocomplete="current-password" required />}
        </Field>
        <Field label={words('sign-in.code')} help={words('sign-in.code.help')}>
          {(input) => (
            <input {...input} name="code" inputMode="numeric" autocomplete="one-time-code" pattern="[0-9 ]{6,8}" title={words('sign-in.code.help')} required />
          )}
        </Field>
        <div class="buttons">
          <Action type="submit" busy={busy}>
            {words('sign-in.enter')}
          </Action>
          {place.service ? (
            <button type="button" class="secondary outline" onClick={() => location.assign('service/start')}>
              {words('sign-in.service')}
            </button>
          ) : null}
        </div>
      </form>
    </Page>
  )
}
