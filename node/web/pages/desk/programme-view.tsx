import { expiresAt } from '#core/consent/terms.ts'
import { useWords } from '#web/pages/shared/words.tsx'
import type { DeskProgramme, PersonConsent } from '#wire/desk-api.ts'

export type ActKind = 'record' | 'withdraw' | 'lost' | 'confirm'

interface ProgrammeParts {
  readonly consent: PersonConsent
  readonly programme: DeskProgramme | null
  readonly onAsk: (kind: ActKind) => void
}

/** How a person stands under one programme, and the buttons for what can be done. */
export function ProgrammeView({ consent, programme, onAsk }: ProgrammeParts) {
  const words = useWords()
  const state =
    consent.withdrawnAtBlock !== null ? 'withdrawn-by-card' : consent.state === 'none' && programme?.lawfulBasis === 'opt-out' ? 'opt-out' : consent.state
  const standing = state === 'granted' || state === 'opt-out'
  const title = titleOf(programme, consent.programme, words.language)
  return (
    <section class="programme" aria-label={title}>
      <h3>{title}</h3>
      <p>
        <span class={`tag ${standing ? 'good' : state === 'none' ? '' : 'warn'}`}>{words(`state.${state}`)}</span>{' '}
        {consent.since === null ? null : words('since', { when: words.date(consent.since) })}
        {consent.until === null || isTermsEnd(consent.until, programme) ? null : <> {words('until', { when: lastMoment(consent.until, words) })}</>}
        {programme?.terms ? (
          <span class="muted"> · {words('terms', { version: programme.terms.version, expires: words.day(programme.terms.expires) })}</span>
        ) : null}
      </p>
      <div class="buttons">
        {state === 'granted' || state === 'ended' ? null : (
          <button type="button" onClick={() => onAsk('record')}>
            {words('act.record')}
          </button>
        )}
        {standing ? (
          <button type="button" class="danger" onClick={() => onAsk('withdraw')}>
            {words('act.withdraw')}
          </button>
        ) : null}
        {state === 'granted' || state === 'ended' ? (
          <button type="button" class="secondary outline" onClick={() => onAsk('lost')}>
            {words(state === 'ended' ? 'act.renew' : 'act.lost')}
          </button>
        ) : null}
        {state === 'withdrawn' || state === 'withdrawn-by-card' ? (
          <button type="button" class="secondary outline" onClick={() => onAsk('confirm')}>
            {words('act.confirm')}
          </button>
        ) : null}
      </div>
    </section>
  )
}

/** A consent counts up to this moment, not including it: up to midnight is the day before. */
const lastMoment = (until: string, words: ReturnType<typeof useWords>): string =>
  Date.parse(until) % DAY_MS === 0 ? words.day(new Date(Date.parse(until) - 1).toISOString()) : words.date(until)

const DAY_MS = 86_400_000

/** The terms say it beside. */
const isTermsEnd = (until: string, programme: DeskProgramme | null): boolean =>
  programme !== null && programme.terms !== null && Date.parse(until) === expiresAt(programme.terms) * 1000

/** As the terms call it in the reader's language; else its name. */
export const titleOf = (programme: DeskProgramme | null, name: string, language: string): string => {
  const titles = programme?.terms?.titles
  const title = titles?.[language] ?? titles?.['en'] ?? Object.values(titles ?? {})[0]
  return title === undefined ? name : `${title} (${name})`
}
