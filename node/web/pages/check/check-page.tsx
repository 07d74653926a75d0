import { useEffect, useState } from 'preact/hooks'
import { Notice, Page } from '#web/pages/shared/parts.tsx'
import { CheckForm } from './check-form.tsx'
import { findPortals, firstPortals, type Portals } from './portals.ts'
import { Sources } from './sources.tsx'
import { useWords } from './words.ts'

/** Checks what a hospital showed of a round's cohort: for auditors, ombudsmen, and holders of a receipt. */
export function CheckPage() {
  const t = useWords()
  const [urls, setUrls] = useState(firstPortals)
  const [portals, setPortals] = useState<Portals | null>(null)
  useEffect(() => {
    let left = false
    setPortals(null)
    void findPortals(urls).then((found) => left || setPortals(found))
    return () => {
      left = true
    }
  }, [urls])
  return (
    <Page title={t('page.title')} foot={<Foot />}>
      <p>{t('page.text')}</p>
      {portals === null ? (
        <p aria-busy="true" role="status">
          {t('loading')}
        </p>
      ) : portals.known.length === 0 ? (
        <Notice mood="bad" live title={t('portals.none.title')}>
          <p>{t('portals.none')}</p>
        </Notice>
      ) : (
        <CheckForm portals={portals} />
      )}
      {portals === null ? null : <Sources portals={portals} onMore={(url) => setUrls([...urls, url])} />}
      <Limits />
    </Page>
  )
}

const LIMITS = ['limits.declared', 'limits.device', 'limits.keep', 'limits.portals'] as const

function Limits() {
  const t = useWords()
  return (
    <section aria-labelledby="limits">
      <h2 id="limits">{t('limits.title')}</h2>
      <ul>
        {LIMITS.map((key) => (
          <li key={key}>{t(key)}</li>
        ))}
      </ul>
    </section>
  )
}

function Foot() {
  const t = useWords()
  return (
    <>
      <p class="print-only">{t('printed', { date: t.date(new Date()) })}</p>
      <div class="buttons">
        <button type="button" class="secondary outline" onClick={() => print()}>
          {t('print')}
        </button>
      </div>
    </>
  )
}
