import { useEffect, useState } from 'preact/hooks'
import { type Fault, faultOf } from '#web/pages/shared/ask.ts'
import { Action, FaultNotice, type Mood } from '#web/pages/shared/parts.tsx'
import { type Network, nameAt } from './network.ts'
import { readRounds, type ShownRound, type ShownRounds } from './read-rounds.ts'
import type { Standing } from './standing.ts'
import { whyKey } from './why.ts'
import { useWords } from './words.ts'

interface RoundsParts {
  readonly network: Network
  readonly standing: Standing
  /** Told how the hospital's own record stands. */
  readonly onRecord: (record: ShownRounds['record']) => void
}

/** In which rounds the record was, each checked here. */
export function Rounds({ network, standing, onRecord }: RoundsParts) {
  const t = useWords()
  const [rounds, setRounds] = useState<readonly ShownRound[]>([])
  const [next, setNext] = useState<number | null>(0)
  const [busy, setBusy] = useState(network.own !== null)
  const [fault, setFault] = useState<Fault | null>(null)
  const load = async (page: number) => {
    setBusy(true)
    setFault(null)
    try {
      const more = await readRounds(network, standing, page)
      setRounds((known) => (page === 0 ? more.rounds : [...known, ...more.rounds]))
      setNext(more.next)
      onRecord(more.record)
    } catch (error) {
      setFault(faultOf(error))
    }
    setBusy(false)
  }
  // Once for each look at the network.
  useEffect(() => {
    if (network.own !== null) void load(0)
  }, [network])
  if (network.own === null) return null
  return (
    <section aria-labelledby="rounds" aria-busy={busy}>
      <h2 id="rounds">{t('rounds.title')}</h2>
      <p>{t('rounds.text')}</p>
      {fault === null ? null : <FaultNotice fault={fault} />}
      {rounds.length > 0 ? <Table rounds={rounds} network={network} /> : null}
      {busy ? <p role="status">{t('rounds.loading')}</p> : null}
      {!busy && fault === null && rounds.length === 0 ? <p>{t('rounds.none')}</p> : null}
      {next === null || (next === 0 && fault === null) ? null : (
        <div class="buttons">
          <Action kind="secondary outline" busy={busy} onPress={() => void load(next)}>
            {t(fault === null ? 'rounds.more' : 'again.try')}
          </Action>
        </div>
      )}
    </section>
  )
}

function Table({ rounds, network }: { readonly rounds: readonly ShownRound[]; readonly network: Network }) {
  const t = useWords()
  const used = rounds.filter(({ verdict }) => verdict?.state === 'in the declared cohort').length
  const known = rounds.filter(({ verdict }) => verdict?.valid).length
  const sources = [...new Set(rounds.flatMap((round) => round.sources))].map((url) => nameAt(network, url))
  return (
    <>
      <p role="status">
        <strong>{known === 0 ? '' : used === 0 ? t('rounds.used.none') : t.count('rounds.used', used)}</strong>
        {known > 0 && sources.length > 0 ? ` ${t('rounds.checked', { sources: new Intl.ListFormat(t.language).format(sources) })}` : ''}
      </p>
      <table class="rounds">
        <thead>
          <tr>
            <th scope="col">{t('rounds.what')}</th>
            <th scope="col">{t('rounds.which')}</th>
            <th scope="col">{t('rounds.when')}</th>
          </tr>
        </thead>
        <tbody>
          {alike(rounds).map(({ newest, oldest }) => (
            <tr key={`${newest.run}.${newest.round}`}>
              <td>
                <RoundVerdict round={newest} />
              </td>
              <td>
                {newest === oldest
                  ? t('rounds.name', { run: newest.run, round: newest.round })
                  : t('rounds.names', { run: newest.run, from: oldest.round, to: newest.round })}
              </td>
              <td>{oldest.openedAt === null ? '' : t.date(oldest.openedAt)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  )
}

interface Alike {
  readonly newest: ShownRound
  readonly oldest: ShownRound
}

/** Rounds of one run that follow each other and say the same, as one line. @param rounds newest first */
function alike(rounds: readonly ShownRound[]): readonly Alike[] {
  const says = ({ run, verdict, why }: ShownRound): string => JSON.stringify([run, verdict?.valid, verdict?.state, verdict?.reason, why])
  const groups: Alike[] = []
  for (const round of rounds) {
    const last = groups.at(-1)
    if (last !== undefined && says(last.oldest) === says(round)) groups.splice(-1, 1, { newest: last.newest, oldest: round })
    else groups.push({ newest: round, oldest: round })
  }
  return groups
}

/** What was found out, and why. */
export function RoundVerdict({ round }: { readonly round: ShownRound }) {
  const t = useWords()
  const { verdict, why } = round
  const { key, values } = verdict === null ? { key: `why.${why}`, values: {} } : whyKey(verdict)
  const mood: Mood = verdict === null ? 'warn' : !verdict.valid || key === 'why.against' ? 'bad' : verdict.state === 'in the declared cohort' ? 'plain' : 'good'
  const label = verdict === null ? 'rounds.unknown' : !verdict.valid ? 'rounds.bad' : verdict.state === 'in the declared cohort' ? 'rounds.in' : 'rounds.out'
  const said = t.has(key) ? key : t.has(`error.${why}`) ? `error.${why}` : 'why.no-proof'
  return (
    <>
      <strong class={`tag ${mood}`}>{t(label)}</strong>
      <small class="why">{t(said as 'why.no-proof', typeof values['reason'] === 'string' ? { reason: t.reason(values['reason']) } : values)}</small>
    </>
  )
}
