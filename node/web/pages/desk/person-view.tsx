import { useEffect, useRef, useState } from 'preact/hooks'
import { type Fault, faultOf } from '#web/pages/shared/ask.ts'
import { Action, Dialog, FaultNotice, Notice } from '#web/pages/shared/parts.tsx'
import { useWords } from '#web/pages/shared/words.tsx'
import type { DeskAct, DeskProgramme, Person, TellsProblem } from '#wire/desk-api.ts'
import { type DeskApi, faultIn } from './desk-api.ts'
import type { Ask } from './desk-page.tsx'
import { PrintList, type ToPrint } from './print-list.tsx'
import { type ActKind, ProgrammeView, titleOf } from './programme-view.tsx'
import { SheetLanguage } from './sheet-language.tsx'

interface Parts {
  readonly ask: Ask
  readonly person: Person
  /** Looks again after something was done. */
  readonly onChange: () => Promise<void>
}

interface Done {
  readonly kind: ActKind
  readonly prints: readonly ToPrint[]
  /** Why the chain does not know yet. */
  readonly problem: Fault | null
}

/** How one person stands under each programme, and what can be done. */
export function PersonView({ ask, person, onChange }: Parts) {
  const words = useWords()
  const [programmes, setProgrammes] = useState<readonly DeskProgramme[]>([])
  const [language, setLanguage] = useState(words.language)
  const [asking, setAsking] = useState<{ readonly kind: ActKind; readonly programme: string } | null>(null)
  const [busy, setBusy] = useState(false)
  const [done, setDone] = useState<Done | null>(null)
  const [fault, setFault] = useState<Fault | null>(null)
  const head = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    head.current?.focus()
    ask((api) => api.programmes()).then(setProgrammes, () => undefined)
  }, [])

  // Once the dialog has given the focus back, and before the person is looked up again: nobody's typing is interrupted later.
  useEffect(() => {
    if (done !== null || fault !== null) head.current?.focus()
  }, [done, fault])

  async function act(kind: ActKind, programme: string): Promise<void> {
    if (busy) return
    setBusy(true)
    setFault(null)
    try {
      setDone(await ask((api) => acts[kind](api, { patient: person.patient, programme, language })))
    } catch (error) {
      setFault(faultOf(error))
    }
    setAsking(null)
    setBusy(false)
    await onChange()
  }

  return (
    <section class="person" aria-labelledby="found">
      <h2 id="found" ref={head} tabIndex={-1}>
        {person.patient}
      </h2>
      {person.inData === true ? null : <Notice mood="warn">{words(person.inData === false ? 'person.no-rows' : 'person.rows-unknown')}</Notice>}
      {person.chainReached ? null : <Notice mood="warn">{words('person.chain-away')}</Notice>}
      {fault === null ? null : <FaultNotice fault={fault} />}
      {done === null ? null : (
        <Notice mood="good" live title={words(`done.${done.kind}`)}>
          <p>{words(`done.${done.kind}.then`)}</p>
          <PrintList ask={ask} prints={done.prints} />
          {done.problem === null ? null : <FaultNotice fault={done.problem} />}
        </Notice>
      )}
      {person.consents.length === 0 ? <Notice>{words('person.no-programmes')}</Notice> : <SheetLanguage value={language} onChoose={setLanguage} />}
      {person.consents.map((consent) => (
        <ProgrammeView
          key={consent.programme}
          consent={consent}
          programme={programmes.find(({ name }) => name === consent.programme) ?? null}
          onAsk={(kind) => (kind === 'confirm' ? void act(kind, consent.programme) : setAsking({ kind, programme: consent.programme }))}
        />
      ))}
      <Dialog title={asking === null ? '' : words(`ask.${asking.kind}`)} open={asking !== null} onClose={() => setAsking(null)}>
        {asking === null ? null : (
          <>
            <p>
              <strong>{person.patient}</strong> · {titleOf(programmes.find(({ name }) => name === asking.programme) ?? null, asking.programme, words.language)}
            </p>
            <p>{words(`ask.${asking.kind}.what`)}</p>
            <div class="buttons">
              <Action busy={busy} kind={asking.kind === 'record' ? '' : 'danger'} onPress={() => void act(asking.kind, asking.programme)}>
                {words(`act.${asking.kind}`)}
              </Action>
              <button type="button" class="secondary outline" onClick={() => setAsking(null)}>
                {words('cancel')}
              </button>
            </div>
          </>
        )}
      </Dialog>
    </section>
  )
}

const acts: Readonly<Record<ActKind, (api: DeskApi, act: DeskAct) => Promise<Done>>> = {
  async record(api, act) {
    const { print, problem } = await api.record(act)
    return { kind: 'record', prints: [{ print, what: 'card', patient: act.patient }], problem: told(problem) }
  },
  async withdraw(api, act) {
    const { print, problem } = await api.withdraw(act)
    return { kind: 'withdraw', prints: [{ print, what: 'withdrawal', patient: act.patient }], problem: told(problem) }
  },
  async confirm(api, act) {
    const { print, problem } = await api.confirm(act)
    return { kind: 'confirm', prints: [{ print, what: 'withdrawal', patient: act.patient }], problem: told(problem) }
  },
  async lost(api, act) {
    const { withdrawn, recorded, problem } = await api.lostCard(act)
    const old: ToPrint = { print: withdrawn.print, what: 'withdrawal', patient: act.patient }
    // The old card counts for nothing; the new one is made when the network answers again.
    if (recorded === null) return { kind: 'withdraw', prints: [old], problem: told(problem) }
    return { kind: 'lost', prints: [{ print: recorded.print, what: 'card', patient: act.patient }, old], problem: told(problem) }
  },
}

const told = (problem: TellsProblem['problem']): Fault | null => (problem === null ? null : faultIn(problem))
