import type { SampleVerdict } from '#core/consent/cohort-sample.ts'
import { Notice } from '#web/pages/shared/parts.tsx'
import type { Judged, Outcome } from './check.ts'
import type { Shown } from './shown-file.ts'
import { useWords } from './words.ts'

/** More are counted. */
const MOST_FAULTS = 8

interface ResultParts {
  readonly outcome: Outcome
  readonly shown: Shown
  readonly hospital: string
}

/** What was found out, in words that claim no more than was shown. */
export function Result({ outcome, shown, hospital }: ResultParts) {
  const t = useWords()
  if (outcome.is === 'refused') {
    const { other, ...values } = outcome.values
    return (
      <Notice mood="bad" title={t('refused.title')}>
        <p>{t(outcome.why, { ...values, ...(other === undefined ? {} : { other: t.reason(String(other)) }) })}</p>
      </Notice>
    )
  }
  const { judged, sources, coinBlock } = outcome
  const { holds, faults } = summaryOf(judged)
  // A proof that holds, of what must not be.
  const isAgainst = judged.kind === 'proof' && judged.verdict.reason.startsWith('against the withdrawal')
  const { run, round, programme } = shown.file
  return (
    <Notice mood={holds && !isAgainst ? 'good' : 'bad'} title={t(isAgainst ? 'holds.against' : holds ? 'holds' : 'holds.not')}>
      <p>{t('result.of', { hospital, run, round, programme, sources: new Intl.ListFormat(t.language).format([...sources]) })}</p>
      <Found judged={judged} />
      {coinBlock === null || !holds ? null : <p>{t('sample.coin', { block: coinBlock })}</p>}
      {faults.length === 0 ? null : (
        <ul class="faults">
          {faults.slice(0, MOST_FAULTS).map((fault) => (
            <li key={fault}>
              <Fault sentence={fault} />
            </li>
          ))}
        </ul>
      )}
      {faults.length > MOST_FAULTS ? <p>{t.count('faults.more', faults.length - MOST_FAULTS)}</p> : null}
    </Notice>
  )
}

interface Summary {
  readonly holds: boolean
  readonly faults: readonly string[]
}

function summaryOf(judged: Judged): Summary {
  if (judged.kind !== 'proof') return judged.verdict
  const { valid, reason } = judged.verdict
  return { holds: valid, faults: valid ? [] : [reason] }
}

function Found({ judged }: { readonly judged: Judged }) {
  const t = useWords()
  if (judged.kind === 'sample') return <Drawn verdict={judged.verdict} />
  if (judged.kind === 'opening') {
    const { holds, members, withoutConsent, withdrawn } = judged.verdict
    if (!holds) return <p>{t('opening.counts', { members: t.number(members), withoutConsent: t.number(withoutConsent), withdrawn: t.number(withdrawn) })}</p>
    return <p>{t('opening.holds', { members: t.number(members), withoutConsent: t.number(withoutConsent) })}</p>
  }
  const { state, reason } = judged.verdict
  if (state === null) return null
  return (
    <p>
      <strong>{t(state === 'in the declared cohort' ? 'proof.in' : 'proof.out')}</strong> {t.reason(reason)}.
    </p>
  )
}

/** Evidence, with how likely it finds what is wrong. */
function Drawn({ verdict }: { readonly verdict: SampleVerdict }) {
  const t = useWords()
  const { holds, drawn, members, chances, leastFound } = verdict
  const percent = (share: number): string => new Intl.NumberFormat(t.language, { style: 'percent', maximumFractionDigits: 1 }).format(share)
  // Chances rather too small than too large, so that no 99.96 % reads as certain; shares the other way.
  const [chance, atMost] = [
    (share: number) => percent(Math.floor(1_000 * share + 1e-9) / 1_000),
    (share: number) => percent(Math.ceil(1_000 * share - 1e-9) / 1_000),
  ]
  if (members === 0) return verdict.faults.length === 0 ? <p>{t('sample.none')}</p> : null
  return (
    <>
      <p>{t('sample.drawn', { drawn: t.number(drawn), members: t.number(members) })}</p>
      {holds ? (
        <>
          <p>{t('sample.holds', { share: atMost(leastFound) })}</p>
          <ul class="faults">
            {chances.map(({ share, caught }) => (
              <li key={share}>{t('sample.chance', { share: chance(share), caught: chance(caught) })}</li>
            ))}
          </ul>
        </>
      ) : null}
    </>
  )
}

/** The verifier's sentence in the reader's language; that of a draw names its number before. */
function Fault({ sentence }: { readonly sentence: string }) {
  const t = useWords()
  const [, draw, fault] = /^draw (\d+): (.*)$/s.exec(sentence) ?? []
  return <>{draw === undefined || fault === undefined ? t.reason(sentence) : t('sample.fault', { draw, fault: t.reason(fault) })}</>
}
