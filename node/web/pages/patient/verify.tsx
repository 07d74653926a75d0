import { useState } from 'preact/hooks'
import { Field } from '#web/pages/shared/parts.tsx'
import type { Network } from './network.ts'
import { checkProof, type ShownRound } from './read-rounds.ts'
import { RoundVerdict } from './rounds.tsx'
import type { Standing } from './standing.ts'
import { type Key, useWords } from './words.ts'

/** Checks a proof that came as a file. */
export function Verify({ network, standing }: { readonly network: Network; readonly standing: Standing }) {
  const t = useWords()
  const [fault, setFault] = useState<Key | null>(null)
  const [round, setRound] = useState<ShownRound | null>(null)
  const check = async (file: File | undefined) => {
    setRound(null)
    if (file === undefined) return
    const found = await checkProof(network, standing, await file.text())
    setFault(found === null ? 'verify.wrong' : found.isOther ? 'verify.other-card' : null)
    setRound(found?.isOther === true ? null : found)
  }
  return (
    <section class="no-print" aria-labelledby="verify">
      <h2 id="verify">{t('verify.title')}</h2>
      <Field label={t('verify.file')} help={t('verify.text')} wrong={fault === null ? undefined : t(fault)}>
        {(input) => <input {...input} type="file" accept=".json,application/json" onChange={(e) => void check(e.currentTarget.files?.[0])} />}
      </Field>
      <div role="status">
        {round === null ? null : (
          <p>
            {t('verify.result', { run: round.run, round: round.round })}: <RoundVerdict round={round} />
          </p>
        )}
      </div>
      {network.sources[0] === undefined ? null : (
        <p>
          {t('verify.others')} <a href={`${(network.own ?? network.sources[0]).url}/check/`}>{t('verify.others.link')}</a>
        </p>
      )}
    </section>
  )
}
