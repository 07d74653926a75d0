import type { Terms } from '#core/consent/terms.ts'
import type { Mood } from '#web/pages/shared/parts.tsx'
import type { Network } from './network.ts'
import type { ShownRounds } from './read-rounds.ts'
import type { Standing } from './standing.ts'
import { isExpired, textIn } from './terms.tsx'
import { useWords } from './words.ts'

interface HeroParts {
  readonly network: Network
  readonly standing: Standing
  readonly terms: Terms | null
  /** What the hospital says of its own; null: not known yet. */
  readonly record: ShownRounds['record']
}

type State = 'stopped' | 'granted' | 'opt-out' | 'withdrawn' | 'waiting' | 'expired'
const MOODS: Readonly<Record<State, Mood>> = { stopped: 'warn', granted: 'good', 'opt-out': 'good', withdrawn: 'plain', waiting: 'warn', expired: 'plain' }

/** How it stands, in one sentence. */
export function Hero({ network, standing, terms, record }: HeroParts) {
  const t = useWords()
  const state = stateOf(network, standing, terms, record)
  const { site } = network.own?.place ?? {}
  const name = site?.name ?? t('hero.unknown-hospital', { id: network.card.site })
  const date = {
    withdrawn: standing.withdrawn?.time,
    waiting: standing.waiting?.by,
    expired: record?.state === 'ended' ? lastDay(record.at) : terms?.expires,
    stopped: record?.at,
    granted: undefined,
    'opt-out': undefined,
  }[state]
  return (
    <section class={`hero notice ${MOODS[state]}`} aria-labelledby="programme">
      <h2 id="programme">{terms === null ? network.card.programme : textIn(terms, t.language).title}</h2>
      <strong class={`tag ${MOODS[state]}`}>{t(`state.${state}`)}</strong>
      <p>{t(`hero.${state}`, { date: date === undefined ? '' : state === 'expired' ? t.day(String(date)) : t.date(date) })}</p>
      <p class="muted">{t('hero.hospital', { name })}</p>
    </section>
  )
}

/** Of a consent that counted up to a moment. */
const lastDay = (iso: string): string => new Date(Date.parse(iso) - 1).toISOString()

function stateOf(network: Network, { withdrawn, waiting }: Standing, terms: Terms | null, record: ShownRounds['record']): State {
  if (withdrawn !== null) return 'withdrawn'
  if (waiting !== null) return 'waiting'
  if (record?.state === 'withdrawn') return 'stopped'
  if (record?.state === 'ended' || isExpired(terms, network)) return 'expired'
  return terms?.lawfulBasis === 'opt-out' ? 'opt-out' : 'granted'
}
