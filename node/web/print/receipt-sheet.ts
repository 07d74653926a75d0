import type { Terms, TermsText } from '#core/consent/terms.ts'
import { plainCategory } from '#patient/plain-category.ts'
import { type ReceiptV2, receiptFileName, receiptNumber } from '#patient/receipt.ts'
import type { HistoryEntry } from '#patient/receipt-history.ts'
import { cardCode } from './card-code.ts'
import { escapeHtml, facts, link, listed, paragraph, section, sheet } from './sheet.ts'
import { said, type Words, wordsIn } from './words.ts'

export interface SheetOptions {
  /** One of `languages()`; terms in it are taken where there are. */
  readonly language: string
  /** Printed on the sheet alone, so that it reaches the right hands: the receipt itself names nobody. */
  readonly holder?: string | undefined
}

/** What the patient takes home on paper: one sheet, without scripts, that asks nobody for anything. */
export function receiptSheet(receipt: ReceiptV2, { language, holder }: SheetOptions): string {
  const words = wordsIn(language)
  const basis = receipt.terms?.agreed.lawfulBasis ?? 'consent'
  const { title } = words.receipt[basis]
  const body = [
    header(receipt, words, title, holder),
    card(receipt, words),
    section(words.receipt[basis].agreed, agreed(receipt, words)),
    section(words.roads.title[basis], paragraph(words.roads.intro), listed('ol', roads(receipt, words)), elsewhere(receipt, words)),
    section(words.limits.title, listed('ul', [words.limits.from, words.limits.models, words.limits.pseudonymous, words.limits.declared])),
    story(receipt, words),
    seal(receipt, words),
  ]
  return sheet(words.language, `${title} ${receiptNumber(receipt)}`, body.join('\n'))
}

/** The day and minute in UTC: who reads it later need not know where it was printed. */
export const dayAndTime = (iso: string, words: Words): string =>
  `${new Intl.DateTimeFormat(words.date, { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' }).format(new Date(iso))} UTC`

const shortTime = (iso: string, words: Words): string =>
  new Intl.DateTimeFormat(words.date, { dateStyle: 'short', timeStyle: 'short', timeZone: 'UTC' }).format(new Date(iso))

const day = (isoDay: string, words: Words): string => new Intl.DateTimeFormat(words.date, { dateStyle: 'long', timeZone: 'UTC' }).format(new Date(isoDay))

function header(receipt: ReceiptV2, words: Words, title: string, holder: string | undefined): string {
  const { terms, site, grantedAt } = receipt
  const basis = terms?.agreed.lawfulBasis ?? 'consent'
  const until = words.receipt.untilWithdrawn[basis]
  const pairs = [
    holder === undefined ? null : ([words.card.holder, holder] as const),
    [words.receipt.number, receiptNumber(receipt)] as const,
    [words.receipt.hospital, site.name] as const,
    [words.receipt[basis].since, dayAndTime(grantedAt, words)] as const,
    [words.receipt.until, terms === null ? until : said(words.receipt.orUntil, { day: day(terms.agreed.expires, words), until })] as const,
  ]
  return `<header><h1>${escapeHtml(title)}</h1>${facts(pairs)}</header>`
}

function card(receipt: ReceiptV2, words: Words): string {
  if (receipt.card === null) return paragraph(said(words.card.none, { file: receiptFileName(receipt) }))
  const about = [`<h2>${escapeHtml(words.card.title)}</h2>`, paragraph(words.card.scan), paragraph(words.card.keep), paragraph(words.card.link, 'quiet')]
  return `<section class="card">${cardCode(receipt.card, words.card.title)}<div>${about.join('')}<p class="mono">${link(receipt.card)}</p></div></section>`
}

function agreed({ programme, terms, history }: ReceiptV2, words: Words): string {
  if (terms === null) return facts([[words.receipt.programme, programme]]) + paragraph(words.receipt.noTerms)
  const { agreed: of } = terms
  const { text, cut } = onSheet(of, words.language, history === undefined ? MOST_CHARACTERS : FEWER_CHARACTERS)
  return [
    `<p><strong>${escapeHtml(text.title)}</strong></p>`,
    ...[text.purpose, text.data, text.withdrawing, text.limits].map((part) => paragraph(part)),
    cut ? paragraph(said(words.receipt.cut, { version: of.version }), 'quiet') : '',
    facts([
      [
        words.receipt.controllers,
        fewOf(
          of.controllers.map(({ name, contact }) => `${name} (${contact})`),
          words,
        ),
      ],
      [words.receipt.officer, `${of.dataProtectionOfficer.name}, ${of.dataProtectionOfficer.email}`],
      [
        words.receipt.data,
        fewOf(
          of.dataCategories.map((category) => plainCategory(category, (term) => (words.categories as Readonly<Record<string, string>>)[term])),
          words,
        ),
      ],
      [words.receipt.basisTitle, words.receipt.basis[of.lawfulBasis]],
    ]),
  ].join('\n')
}

/** So much of the terms' text fits on the sheet beside the rest, in German too. */
const MOST_CHARACTERS = 1_000
/** Beside what happened. */
const FEWER_CHARACTERS = 300
const MOST_NAMES = 3
const LONGEST_NAME = 64

function fewOf(names: readonly string[], words: Words): string {
  const more = names.length > MOST_NAMES ? [said(words.receipt.andMore, { count: names.length - MOST_NAMES })] : []
  return [...names.slice(0, MOST_NAMES).map((name) => shortened(name, LONGEST_NAME)), ...more].join('; ')
}

/** The terms in the sheet's language or the first that they have, each part shortened alike where all would not fit. */
export function onSheet({ texts }: Terms, language: string, most = MOST_CHARACTERS): { readonly text: TermsText; readonly cut: boolean } {
  const text = (texts[language] ?? texts.en ?? Object.values(texts)[0]) as TermsText
  const parts = ['purpose', 'data', 'withdrawing', 'limits'] as const
  const share = most / parts.reduce((sum, part) => sum + text[part].length, 0)
  if (share >= 1) return { text, cut: false }
  const fitted = parts.map((part) => [part, shortened(text[part], Math.floor(text[part].length * share))] as const)
  return { text: { ...text, ...Object.fromEntries(fitted) }, cut: true }
}

/** At a word's end. */
const shortened = (text: string, most: number): string => (text.length <= most ? text : `${text.slice(0, Math.max(text.lastIndexOf(' ', most), most >> 1))} …`)

function roads({ page, network, site, terms }: ReceiptV2, words: Words): readonly string[] {
  const ombudsman = terms?.agreed.ombudsman ?? null
  return [
    page === null ? words.roads.noPage : words.roads.page,
    said(words.roads.desk, { hospital: site.name }),
    ombudsman === null ? words.roads.noOmbudsman : said(words.roads.ombudsman, { name: ombudsman.name }),
    said(words.roads.call, { contract: network.consentRegistry, chain: network.chainId }),
  ]
}

function elsewhere({ page, terms }: ReceiptV2, words: Words): string {
  const others = (terms?.agreed.portals ?? []).filter((portal) => portal !== page).slice(0, MOST_NAMES)
  const also = others.length === 0 || page === null ? '' : `<p>${escapeHtml(words.roads.pageAt)} ${others.map(link).join(', ')}</p>`
  return also + paragraph(words.roads.again)
}

/** One line each, in two columns. */
function story({ history = [] }: ReceiptV2, words: Words): string {
  const lines = history.flatMap((entry) => {
    const text = told(entry, words.history)
    return text === undefined ? [] : [[shortTime(entry.at, words), said(text, entry as unknown as Readonly<Record<string, string | number>>)] as const]
  })
  return lines.length === 0 ? '' : `<section class="story"><h2>${escapeHtml(words.history.title)}</h2>${facts(lines)}</section>`
}

/** Undefined for what a later version wrote. */
function told(entry: HistoryEntry, words: Words['history']): string | undefined {
  const text = entry.what === 'stopped here' ? words[entry.what][entry.road] : words[entry.what]
  return typeof text === 'string' ? text : undefined
}

function seal(receipt: ReceiptV2, words: Words): string {
  const { seal: by, tag, terms, inclusion } = receipt
  const stands = inclusion === null ? words.seal.rootLater : said(words.seal.rootAt, { epoch: inclusion.epoch, block: inclusion.block })
  const pairs = [
    [words.seal.tag, tag] as const,
    terms === null ? null : ([words.seal.terms, `${said(words.seal.version, { version: terms.agreed.version })}, ${terms.digest}`] as const),
    [words.seal.root, stands] as const,
    [words.seal.account, by.account] as const,
    [words.seal.digest, by.digest] as const,
  ]
  const check = paragraph(said(words.seal.check, { file: receiptFileName(receipt) }), 'quiet')
  return `<footer><h2>${escapeHtml(words.seal.title)}</h2>${facts(pairs)}${check}</footer>`
}
