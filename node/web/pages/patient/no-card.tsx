import { useState } from 'preact/hooks'
import { type Card, readCardLink } from '#patient/card.ts'
import { readReceiptText } from '#patient/receipt.ts'
import { Field, Notice } from '#web/pages/shared/parts.tsx'
import { type Key, useWords } from './words.ts'

/** Without a card: how to open the page with it, and what to do when it is lost. @param wrong the page was opened with something that is no card */
export function NoCard({ wrong, onCard }: { readonly wrong: boolean; readonly onCard: (card: Card) => void }) {
  const t = useWords()
  const [fault, setFault] = useState<Key | null>(wrong ? 'card.wrong' : null)
  const [fileFault, setFileFault] = useState<Key | null>(null)
  const openLink = (e: SubmitEvent) => {
    e.preventDefault()
    const link = new FormData(e.currentTarget as HTMLFormElement).get('link')
    const card = readCardLink(String(link).trim())
    if (card === null) setFault('card.wrong')
    else onCard(card)
  }
  const openFile = async (file: File | undefined) => {
    const receipt = file === undefined ? null : readReceiptText(await file.text())
    if (receipt === null) return setFileFault('card.file.wrong')
    const card = receipt.version === 2 && receipt.card !== null ? readCardLink(receipt.card) : null
    if (card === null) setFileFault('card.file.bare')
    else onCard(card)
  }
  return (
    <>
      <section aria-labelledby="no-card">
        <h2 id="no-card">{t('card.none.title')}</h2>
        <p>{t('card.none.text')}</p>
        <form onSubmit={openLink}>
          <Field label={t('card.link')} help={t('card.link.help')} wrong={fault === null ? undefined : t(fault)}>
            {(input) => <input {...input} name="link" type="text" inputMode="url" autocomplete="off" autocapitalize="off" spellcheck={false} required />}
          </Field>
          <div class="buttons">
            <button type="submit">{t('card.open')}</button>
          </div>
        </form>
        <Field label={t('card.file')} help={t('card.file.help')} wrong={fileFault === null ? undefined : t(fileFault)}>
          {(input) => <input {...input} type="file" accept=".json,application/json" onChange={(e) => void openFile(e.currentTarget.files?.[0])} />}
        </Field>
      </section>
      <Notice title={t('card.lost.title')}>
        <p>{t('card.lost')}</p>
      </Notice>
    </>
  )
}
