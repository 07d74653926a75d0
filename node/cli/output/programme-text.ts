import type { TermsPublished } from '#app/programme/publish-terms.ts'
import type { ShownTerms } from '#app/programme/show-programme.ts'
import { shortHex } from '#base/format.ts'
import { clean } from './clean.ts'
import type { Style } from './style.ts'
import { facts, table } from './table.ts'

export const publishedText = ({ programme, version, digest, bytes }: TermsPublished, style: Style): string =>
  `${style.good('Published')} version ${version} of the terms of "${programme}" (${bytes} bytes on chain), digest ${digest}`

export const programmesText = (shown: readonly ShownTerms[], style: Style): string =>
  shown.length === 0
    ? 'No programme has terms on this chain yet: rota programme draft'
    : table(
        ['programme', 'version', 'lawful basis', 'expires', 'cadence', 'kept by', 'languages'],
        shown.map(({ terms, keeper, expired }) => [
          clean(terms.programme),
          terms.version,
          terms.lawfulBasis,
          expired ? `${terms.expires}, expired` : terms.expires,
          hours(terms.cadenceHours),
          clean(keeper),
          Object.keys(terms.texts).map(clean).join(', '),
        ]),
        style,
      )

/** @param language undefined: all */
export function termsText({ terms, digest, keeper, versions, expired }: ShownTerms, language: string | undefined, style: Style): string {
  const head = facts(
    [
      ['version', `${terms.version}${versions > 1 ? ` of ${versions}` : ''}`],
      ['digest', digest],
      ['kept by', clean(keeper)],
      ['lawful basis', terms.lawfulBasis === 'consent' ? 'consent: nobody until they agree' : 'opt-out: everybody until they object'],
      ['expires', `${terms.expires}${expired ? ': consents count no longer' : ''}`],
      ['roots', `every ${hours(terms.cadenceHours)}`],
      ['relays', `keep a withdrawal for ${hours(terms.relayDelayHours)} at most`],
      ['controllers', terms.controllers.map(({ name, contact }) => clean(`${name} (${contact})`)).join('; ')],
      ['data protection', clean(`${terms.dataProtectionOfficer.name}, ${terms.dataProtectionOfficer.email}`)],
      ['data', clean(terms.dataCategories.join(', '))],
      ['ombudsman', terms.ombudsman === null ? 'none' : clean(`${terms.ombudsman.name}, ${terms.ombudsman.address}`)],
      ['portals', clean(terms.portals.join(', ')) || 'none'],
    ],
    style,
  )
  const wanted = Object.entries(terms.texts).filter(([code]) => language === undefined || code === language)
  const texts = wanted.map(([code, { title, purpose, data, withdrawing, limits }]) =>
    [style.accent(style.bold(`${clean(title)} (${clean(code)})`)), ...[purpose, data, withdrawing, limits].map(clean)].join('\n\n'),
  )
  const known = Object.keys(terms.texts).map(clean).join(', ')
  return [
    `${style.bold(`Terms of "${clean(terms.programme)}"`)} ${shortHex(digest)}\n${head}`,
    ...(texts.length === 0 ? [`There is no text in "${language}": ${known}`] : texts),
  ].join('\n\n')
}

const hours = (count: number): string => (count % 24 === 0 ? `${count / 24} d` : `${count} h`)
