import { useEffect, useState } from 'preact/hooks'
import { Notice, Page, Points, PrintFoot } from '#web/pages/shared/parts.tsx'
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
    <Page title={t('page.title')} foot={<PrintFoot stamp={t('printed', { date: t.date(new Date()) })} label={t('print')} />}>
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
      <Points id="limits" title={t('limits.title')} points={LIMITS.map((key) => t(key))} />
    </Page>
  )
}

const LIMITS = ['limits.declared', 'limits.device', 'limits.keep', 'limits.portals'] as const
