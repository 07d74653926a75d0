import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { type Fault, faultOf } from '#web/pages/shared/ask.ts'
import { FaultNotice, Page } from '#web/pages/shared/parts.tsx'
import { useWords } from '#web/pages/shared/words.tsx'
import { askPlace, type DeskApi, deskApi, type Place, type Sitting } from './desk-api.ts'
import { ImportView } from './import-view.tsx'
import { PeopleView } from './people-view.tsx'
import { SignIn } from './sign-in.tsx'

/** The desk: whoever is not signed in sees the way in, and nothing else. */
export function DeskPage() {
  const words = useWords()
  const [place, setPlace] = useState<Place | null>(null)
  const [fault, setFault] = useState<Fault | null>(takeFault)
  useEffect(() => {
    askPlace().then(setPlace, (error) => setFault(faultOf(error)))
  }, [])
  const sit = (session: Sitting | null, why: Fault | null = null): void => {
    setFault(why)
    setPlace((was) => was && { ...was, session })
  }
  if (place === null)
    return <Page title={words('page.title')}>{fault === null ? <p aria-busy="true">{words('loading')}</p> : <FaultNotice fault={fault} />}</Page>
  if (place.session === null) return <SignIn place={place} fault={fault} onEnter={sit} />
  return <Desk key={place.session.csrf} place={place} session={place.session} fault={fault} onLeave={(why) => sit(null, why)} />
}

/** What went wrong where a person, not this page, asked: the server sends them back here with its code. */
function takeFault(): Fault | null {
  const code = new URLSearchParams(location.search).get('fault') ?? ''
  if (!/^ROTA-\d{4}$/.test(code)) return null
  history.replaceState(null, '', location.pathname)
  return { code, message: '', remedy: '', values: {} }
}

export type View = 'person' | 'import'

/** By what stands after # in the address, so that the browser's way back works. */
function useView(): View {
  const now = (): View => (location.hash === '#import' ? 'import' : 'person')
  const [view, setView] = useState(now)
  useEffect(() => {
    const look = (): void => setView(now())
    addEventListener('hashchange', look)
    return () => removeEventListener('hashchange', look)
  }, [])
  return view
}

/** Where a person's session ends, whatever they did when it was over. */
const OVER: ReadonlySet<string> = new Set(['ROTA-6703', 'ROTA-6704'])

interface DeskParts {
  readonly place: Place
  readonly session: Sitting
  readonly fault: Fault | null
  readonly onLeave: (why: Fault | null) => void
}

function Desk({ place, session, fault, onLeave }: DeskParts) {
  const words = useWords()
  const view = useView()
  const api = useMemo(() => deskApi(session), [session])
  const ask = useAsk(api, session.idleMs, onLeave)
  const leave = (): void =>
    void api.signOut().then(
      () => onLeave(null),
      (error) => onLeave(faultOf(error)),
    )
  return (
    <Page
      title={words(`${view}.title`)}
      head={
        <span class="sitting">
          {place.site} · {session.user}{' '}
          <button type="button" class="secondary outline sign-out" onClick={leave}>
            {words('sign-out')}
          </button>
        </span>
      }
      foot={<p>{words('foot')}</p>}
    >
      <nav class="tabs" aria-label={words('tabs')}>
        {(['person', 'import'] as const).map((name) => (
          <a key={name} href={`#${name}`} {...(view === name ? { 'aria-current': 'page' as const } : {})}>
            {words(`${name}.tab`)}
          </a>
        ))}
      </nav>
      {fault === null ? null : <FaultNotice fault={fault} />}
      {view === 'person' ? <PeopleView ask={ask} /> : <ImportView ask={ask} />}
    </Page>
  )
}

/** Asks the server; what went wrong is shown where it was asked, but a session that is over leads back to the way in. */
export type Ask = <T>(what: (api: DeskApi) => Promise<T>) => Promise<T>

/** Nobody has asked for as long as a session lasts: what is on the screen goes, for whoever comes by. */
const OVER_IDLE: Fault = { code: 'ROTA-6703', message: '', remedy: '', values: {} }

function useAsk(api: DeskApi, idleMs: number, onLeave: (why: Fault) => void): Ask {
  const timer = useRef(0)
  const wind = (): void => {
    clearTimeout(timer.current)
    timer.current = setTimeout(() => onLeave(OVER_IDLE), idleMs) as unknown as number
  }
  useEffect(() => {
    wind()
    return () => clearTimeout(timer.current)
  }, [api])
  return useCallback(
    (what) => {
      wind()
      return what(api).catch((error) => {
        const fault = faultOf(error)
        if (OVER.has(fault.code)) onLeave(fault)
        throw error
      })
    },
    [api],
  )
}
