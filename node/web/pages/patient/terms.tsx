import type { ComponentChildren } from 'preact'
import { expiresAt, type Terms, type TermsText } from '#core/consent/terms.ts'
import { plainCategory } from '#patient/plain-category.ts'
import { Notice } from '#web/pages/shared/parts.tsx'
import type { Network } from './network.ts'
import { useWords } from './words.ts'

/** The newest terms that a portal knows; portals that know the same version must show the same. */
export function termsOf({ sources, card }: Network): { readonly terms: Terms | null; readonly differ: boolean } {
  const all = sources.flatMap(({ place }) => place.programmes.find(({ name }) => name === card.programme)?.terms ?? [])
  const terms = all.toSorted((a, b) => b.version - a.version)[0] ?? null
  return { terms, differ: all.some((each) => each.version === terms?.version && JSON.stringify(each) !== JSON.stringify(terms)) }
}

export const isExpired = (terms: Terms | null, network: Network): boolean => terms !== null && expiresAt(terms) <= network.now()

/** In the reader's language, else in English, else in the first that there is. */
export function textIn({ texts, programme }: Terms, language: string): TermsText {
  const none = { title: programme, purpose: '', data: '', withdrawing: '', limits: '' }
  return texts[language] ?? texts['en'] ?? Object.values(texts)[0] ?? none
}

export function TermsShown({ terms, differ, programme }: { readonly terms: Terms | null; readonly differ: boolean; readonly programme: string }) {
  const t = useWords()
  return (
    <section aria-labelledby="terms">
      <h2 id="terms">{t('terms.title')}</h2>
      {differ ? (
        <Notice mood="bad">
          <p>{t('terms.differ')}</p>
        </Notice>
      ) : null}
      {terms === null ? <p>{t('terms.none', { programme })}</p> : <Whole terms={terms} />}
    </section>
  )
}

function Whole({ terms }: { readonly terms: Terms }) {
  const t = useWords()
  const text = textIn(terms, t.language)
  const { dataProtectionOfficer: officer, ombudsman } = terms
  return (
    <>
      <dl>
        {(['purpose', 'data', 'withdrawing', 'limits'] as const).map((part) => (
          <Line key={part} term={t(`terms.${part}`)}>
            {text[part]}
          </Line>
        ))}
        <Line term={t('terms.categories')}>{terms.dataCategories.map((category) => plainCategory(category, wordFor(t))).join(', ')}</Line>
        <Line term={t('terms.basis')}>{t(`terms.basis.${terms.lawfulBasis}`)}</Line>
        <Line term={t('terms.expires')}>{t.day(terms.expires)}</Line>
        <Line term={t('terms.controllers')}>
          {terms.controllers.map(({ name, contact }) => (
            <span class="line" key={name}>
              {name}, {contact}
            </span>
          ))}
        </Line>
        <Line term={t('terms.officer')}>
          {officer.name}, <Mail address={officer.email} />
        </Line>
        {ombudsman === null ? null : <Line term={t('terms.ombudsman')}>{ombudsman.name}</Line>}
      </dl>
      <p class="muted">{t('terms.version', { version: t.number(terms.version) })}</p>
    </>
  )
}

function Line({ term, children }: { readonly term: string; readonly children: ComponentChildren }) {
  return (
    <>
      <dt>{term}</dt>
      <dd>{children}</dd>
    </>
  )
}

/** Whoever wrote the terms wrote the address: only what is plainly one becomes a link. */
const Mail = ({ address }: { readonly address: string }) =>
  /^[\w.+-]+@[\w-]+(\.[\w-]+)+$/.test(address) ? <a href={`mailto:${address}`}>{address}</a> : <span>{address}</span>

/** Of a category of data, where the language has one. */
const wordFor =
  (t: ReturnType<typeof useWords>) =>
  (term: string): string | undefined =>
    t.has(`category.${term}`) ? t(`category.${term}` as Parameters<typeof t>[0]) : undefined
