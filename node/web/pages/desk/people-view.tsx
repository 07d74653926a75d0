import { useRef, useState } from 'preact/hooks'
import { type Fault, faultOf } from '#web/pages/shared/ask.ts'
import { Action, FaultNotice, Field } from '#web/pages/shared/parts.tsx'
import { useWords } from '#web/pages/shared/words.tsx'
import type { Person } from '#wire/desk-api.ts'
import type { Ask } from './desk-page.tsx'
import { PersonView } from './person-view.tsx'

/** One person at a time: the steward writes the identifier as the hospital's system has it; nothing is completed or suggested. */
export function PeopleView({ ask }: { readonly ask: Ask }) {
  const words = useWords()
  const [person, setPerson] = useState<Person | null>(null)
  const [fault, setFault] = useState<Fault | null>(null)
  const [busy, setBusy] = useState(false)
  const field = useRef<HTMLInputElement>(null)

  /** Only the newest question's answer is shown. */
  const asked = useRef(0)

  async function find(patient: string): Promise<void> {
    const mine = ++asked.current
    setBusy(true)
    setFault(null)
    try {
      const found = await ask((api) => api.find(patient))
      if (mine === asked.current) setPerson(found)
    } catch (error) {
      if (mine !== asked.current) return
      setPerson(null)
      setFault(faultOf(error))
      field.current?.focus()
    } finally {
      if (mine === asked.current) setBusy(false)
    }
  }

  /** After something was done for the person: what is shown stays until the answer is there, and a search meanwhile comes first. */
  async function refresh(patient: string): Promise<void> {
    const mine = asked.current
    const found = await ask((api) => api.find(patient)).catch(() => null)
    if (found !== null && mine === asked.current) setPerson(found)
  }

  function submit(event: SubmitEvent): void {
    event.preventDefault()
    const patient = field.current?.value.trim() ?? ''
    if (!busy && patient !== '') void find(patient)
  }

  return (
    <>
      <search>
        <form class="search" onSubmit={submit}>
          <Field label={words('person.identifier')} help={words('person.identifier.help')}>
            {(input) => (
              <input
                {...input}
                ref={field}
                onFocus={(e) => e.currentTarget.select()}
                autocomplete="off"
                autocapitalize="none"
                spellcheck={false}
                maxLength={128}
                required
              />
            )}
          </Field>
          <Action type="submit" busy={busy}>
            {words('person.find')}
          </Action>
        </form>
      </search>
      {fault === null ? null : <FaultNotice fault={fault} />}
      {person === null ? null : <PersonView key={person.patient} ask={ask} person={person} onChange={() => refresh(person.patient)} />}
    </>
  )
}
