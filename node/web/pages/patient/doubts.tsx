import { FaultNotice, Notice } from '#web/pages/shared/parts.tsx'
import type { Network } from './network.ts'
import { useWords } from './words.ts'

/** A clock that is this far off is told; nothing depends on it. */
const TOLD_SECONDS = 120

/** What the reader should know before trusting what the portals say. */
export function Doubts({ network }: { readonly network: Network }) {
  const t = useWords()
  const { sources, own, disagree, clockOff, away } = network
  return (
    <>
      {disagree ? (
        <Notice mood="bad" title={t('network.disagree.title')}>
          <p>{t('network.disagree')}</p>
        </Notice>
      ) : null}
      {own === null ? (
        <Notice mood="warn" title={t('network.own-away.title')}>
          <p>{t('network.own-away')}</p>
        </Notice>
      ) : null}
      {sources.length === 1 ? (
        <Notice mood="warn" title={t('network.one.title')}>
          <p>{t('network.one')}</p>
        </Notice>
      ) : null}
      {Math.abs(clockOff) > TOLD_SECONDS ? (
        <Notice mood="warn" title={t('clock.title')}>
          <p>{t('clock', { minutes: t.number(Math.round(Math.abs(clockOff) / 60)) })}</p>
        </Notice>
      ) : null}
      {away.flatMap(({ url, fault }) => (fault.code === 'other-network' ? [<FaultNotice key={url} fault={fault} />] : []))}
    </>
  )
}
