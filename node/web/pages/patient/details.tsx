import { hostOf } from '#web/pages/shared/ask.ts'
import { FaultNotice } from '#web/pages/shared/parts.tsx'
import type { Network } from './network.ts'
import type { Standing } from './standing.ts'
import { useWords } from './words.ts'

/** For whoever helps: numbers and addresses. */
export function Details({ network, standing }: { readonly network: Network; readonly standing: Standing }) {
  const t = useWords()
  const { card, sources, away, domain } = network
  return (
    <details>
      <summary>{t('details.title')}</summary>
      <dl>
        <dt>{t('details.tag')}</dt>
        <dd class="mono">{standing.tag}</dd>
        <dt>{t('details.programme')}</dt>
        <dd class="mono">{card.programme}</dd>
        <dt>{t('details.network')}</dt>
        <dd class="mono">
          {card.chainId} · {card.contracts}
        </dd>
        <dt>{t('details.registry')}</dt>
        <dd class="mono">{domain.verifyingContract}</dd>
        <dt>{t('details.portals')}</dt>
        {sources.map(({ url, place }) => (
          <dd key={url}>
            {place.site?.name ?? hostOf(url)}: <span class="mono">{url}</span> ({t('details.answers')})
          </dd>
        ))}
        {away.map(({ url, fault }) => (
          <dd key={url}>
            <span class="mono">{url}</span>
            <FaultNotice fault={fault} />
          </dd>
        ))}
      </dl>
    </details>
  )
}
