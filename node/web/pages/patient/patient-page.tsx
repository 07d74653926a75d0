import { useEffect, useState } from 'preact/hooks'
import { type Card, readCardLink } from '#patient/card.ts'
import { Page, PrintFoot } from '#web/pages/shared/parts.tsx'
import { Limits } from './limits.tsx'
import { NoCard } from './no-card.tsx'
import { takeCard } from './take-card.ts'
import { WithCard } from './with-card.tsx'
import { useWords } from './words.ts'

/** @param link the part of the address after #, already taken out of the address bar; null: none */
export function PatientPage({ link }: { readonly link: string | null }) {
  const t = useWords()
  const [card, setCard] = useState<Card | null>(() => (link === null ? null : readCardLink(link)))
  const [wrong, setWrong] = useState(link !== null && card === null)
  useEffect(() => {
    // Another card scanned into the same tab.
    const onCard = () => {
      const next = takeCard()
      if (next === null) return
      const read = readCardLink(next)
      setCard(read)
      setWrong(read === null)
    }
    addEventListener('hashchange', onCard)
    return () => removeEventListener('hashchange', onCard)
  }, [])
  return (
    <Page title={t('page.title')} foot={<PrintFoot stamp={t('details.printed', { date: t.date(new Date()) })} label={t('print')} />}>
      {card === null ? <NoCard wrong={wrong} onCard={setCard} /> : <WithCard key={card.secret.join()} card={card} onCard={setCard} />}
      <Limits />
    </Page>
  )
}
