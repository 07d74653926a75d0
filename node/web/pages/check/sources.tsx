import { useState } from 'preact/hooks'
import { hostOf } from '#web/pages/shared/ask.ts'
import { Field, Notice } from '#web/pages/shared/parts.tsx'
import { nameOf, type Portals } from './portals.ts'
import { useWords } from './words.ts'

/** Whose chains the files are held against, and how to ask another. */
export function Sources({ portals, onMore }: { readonly portals: Portals; readonly onMore: (url: string) => void }) {
  const t = useWords()
  const [wrong, setWrong] = useState(false)
  const { known, away } = portals
  const network = known[0]?.place.network
  const add = (e: SubmitEvent) => {
    e.preventDefault()
    const url = String(new FormData(e.currentTarget as HTMLFormElement).get('portal')).trim()
    setWrong(!URL.canParse(url) || !/^https?:/.test(url))
    if (URL.canParse(url) && /^https?:/.test(url)) onMore(url)
  }
  return (
    <section aria-labelledby="portals">
      <h2 id="portals">{t('portals.title')}</h2>
      <p>{t('portals.text')}</p>
      {known.length === 1 ? (
        <Notice mood="warn" title={t('portals.one.title')}>
          <p>{t('portals.one')}</p>
        </Notice>
      ) : null}
      <dl>
        {network === undefined ? null : (
          <>
            <dt>{t('portals.network')}</dt>
            <dd class="mono">
              {network.chainId} · {network.contracts}
            </dd>
          </>
        )}
        {known.map((portal) => (
          <>
            <dt>{nameOf(portal)}</dt>
            <dd class="mono">{portal.url}</dd>
          </>
        ))}
        {away.map((url) => (
          <>
            <dt>{hostOf(url)}</dt>
            <dd>{t('portals.away')}</dd>
          </>
        ))}
      </dl>
      <form class="no-print" onSubmit={add} noValidate>
        <Field label={t('portals.more')} help={t('portals.more.help')} wrong={wrong ? t('portals.wrong') : undefined}>
          {(input) => <input {...input} name="portal" type="url" autocomplete="off" spellcheck={false} required />}
        </Field>
        <div class="buttons">
          <button type="submit" class="secondary outline">
            {t('portals.ask')}
          </button>
        </div>
      </form>
    </section>
  )
}
