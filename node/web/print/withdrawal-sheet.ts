import { receiptNumber } from '#patient/receipt.ts'
import { type WithdrawalReceipt, withdrawalFileName } from '#patient/withdrawal-receipt.ts'
import { dayAndTime, type SheetOptions } from './receipt-sheet.ts'
import { escapeHtml, facts, listed, paragraph, section, sheet } from './sheet.ts'
import { said, type Words, wordsIn } from './words.ts'

/** What a patient takes home who withdrew at the desk, to be signed on paper where that is wanted. */
export function withdrawalSheet(withdrawn: WithdrawalReceipt, { language, holder }: SheetOptions): string {
  const words = wordsIn(language)
  const of = words.withdrawal
  const title = of.title[withdrawn.lawfulBasis]
  const body = [
    header(withdrawn, words, title, holder),
    `<section>${paragraph(said(of.stopped, { hospital: withdrawn.site.name, time: dayAndTime(withdrawn.withdrawnAt, words) }))}${paragraph(chainLine(withdrawn, words))}</section>`,
    section(of.then, listed('ul', [of.next, of.trained, of.deleted, of.checked])),
    section(words.limits.title, listed('ul', [words.limits.models, words.limits.pseudonymous, words.limits.declared]), paragraph(words.roads.again)),
    `<p class="lines">${[of.signature, of.stamp].map((line) => `<span>${escapeHtml(line)}</span>`).join('')}</p>`,
    seal(withdrawn, words),
  ]
  return sheet(words.language, `${title} ${numberOf(withdrawn)}`, body.join('\n'))
}

const numberOf = ({ number }: WithdrawalReceipt): string => number.replace(/(.{4})(?=.)/g, '$1-')

function header(withdrawn: WithdrawalReceipt, words: Words, title: string, holder: string | undefined): string {
  const pairs = [
    holder === undefined ? null : ([words.card.holder, holder] as const),
    [words.withdrawal.number, numberOf(withdrawn)] as const,
    [words.receipt.hospital, withdrawn.site.name] as const,
    [words.receipt.programme, withdrawn.programme] as const,
    [words.withdrawal[withdrawn.by ?? 'at'], dayAndTime(withdrawn.withdrawnAt, words)] as const,
  ]
  return `<header><h1>${escapeHtml(title)}</h1>${facts(pairs)}</header>`
}

function chainLine({ tag, onChain }: WithdrawalReceipt, words: Words): string {
  if (tag === null) return words.withdrawal.noTag
  const number = receiptNumber({ tag })
  return onChain === null ? said(words.withdrawal.notOnChain, { tag: number }) : said(words.withdrawal.onChain, { tag: number, block: onChain.block })
}

function seal(withdrawn: WithdrawalReceipt, words: Words): string {
  const { seal: by, tag, root } = withdrawn
  if (by === null) return `<footer>${paragraph(words.withdrawal.unsealed, 'quiet')}</footer>`
  const pairs = [
    tag === null ? null : ([words.seal.tag, tag] as const),
    [words.seal.root, root === null ? words.seal.rootLater : said(words.seal.rootAt, { epoch: root.epoch, block: root.block })] as const,
    [words.seal.account, by.account] as const,
    [words.seal.digest, by.digest] as const,
    [words.seal.signature, by.signature] as const,
  ]
  const kept = paragraph(said(words.withdrawal.kept, { file: withdrawalFileName(withdrawn) }), 'quiet')
  return `<footer><h2>${escapeHtml(words.seal.title)}</h2>${facts(pairs)}${kept}</footer>`
}
