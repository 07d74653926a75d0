import { useState } from 'preact/hooks'
import { nextCadence, type Terms } from '#core/consent/terms.ts'
import type { Card } from '#patient/card.ts'
import { cardLink } from '#patient/card.ts'
import { consentKeys, SECRET_BYTES } from '#patient/keys.ts'
import { type Again as Asked, askAgain, type GivenAgain } from '#patient/portal-api.ts'
import { completeReceipt, receiptFileName } from '#patient/receipt.ts'
import { signRequest } from '#patient/request.ts'
import { askJson, type Fault, faultOf } from '#web/pages/shared/ask.ts'
import { Action, FaultNotice, Notice } from '#web/pages/shared/parts.tsx'
import type { Network } from './network.ts'
import { NewCard, saveFile } from './new-card.tsx'
import { useWords } from './words.ts'

interface AgainParts {
  readonly network: Network
  /** Of the programme as this page shows them; null: it has none. */
  readonly terms: Terms | null
  readonly onCard: (card: Card) => void
}

/** Consent given again: a new card is made here, kept by the patient, and only then recorded. A consent that nobody could withdraw must never stand. */
export function Again({ network, terms, onCard }: AgainParts) {
  const t = useWords()
  const [card, setCard] = useState<Card | null>(null)
  const [isKept, setKept] = useState(false)
  const { busy, fault, given, give } = useGivingAgain(network, terms, card)
  if (network.own === null) return <Notice title={t('again.title')}>{t('again.desk')}</Notice>
  if (given !== null && card !== null)
    return <Given given={given} card={card} next={terms === null ? null : nextCadence(terms, network.now())} onCard={onCard} />
  return (
    <section aria-labelledby="again">
      <h2 id="again">{t('again.title')}</h2>
      <p>{t('again.text')}</p>
      {card === null ? (
        <div class="buttons">
          <Action kind="secondary" onPress={() => setCard(newCard(network))}>
            {t('again.start')}
          </Action>
        </div>
      ) : (
        <>
          <Notice mood="warn" live title={t('again.keep.title')}>
            <p>{t('again.keep')}</p>
          </Notice>
          <NewCard link={linkOf(card)} programme={card.programme} hospital={network.own.place.site?.name ?? ''} />
          {terms === null ? null : (
            <p>
              {t('again.terms', { version: t.number(terms.version), day: t.day(terms.expires) })} <a href="#terms">{t('terms.title')}</a>
            </p>
          )}
          <label>
            <input type="checkbox" checked={isKept} onChange={(e) => setKept(e.currentTarget.checked)} />
            {t('again.kept')}
          </label>
          {fault === null ? null : <FaultNotice fault={fault} />}
          <div class="buttons">
            <button type="button" disabled={!isKept} aria-busy={busy} onClick={() => busy || void give()}>
              {t('again.confirm')}
            </button>
          </div>
        </>
      )}
    </section>
  )
}

/** The secret is drawn here and nowhere else. */
const newCard = ({ card }: Network): Card => ({ ...card, secret: crypto.getRandomValues(new Uint8Array(SECRET_BYTES)) })
/** Opens this same copy of the page. */
const linkOf = (card: Card): string => cardLink(location.origin === 'null' ? location.href : location.origin + location.pathname, card)

function useGivingAgain(network: Network, terms: Terms | null, next: Card | null) {
  const [busy, setBusy] = useState(false)
  const [fault, setFault] = useState<Fault | null>(null)
  const [given, setGiven] = useState<GivenAgain | null>(null)
  const { card, own, domain } = network
  const give = async () => {
    if (next === null || own === null) return
    setBusy(true)
    setFault(null)
    try {
      const { tag, oneTimeAddress } = consentKeys(next.secret, next.programme)
      const asked: Omit<Asked, 'request'> = { tag, oneTimeAddress, ...(terms === null ? {} : { terms: terms.version }) }
      const request = signRequest(card.secret, card.programme, { what: askAgain(asked), at: network.now() }, domain)
      setGiven(await askJson<GivenAgain>(`${own.url}/api/again`, { body: { request, ...asked } }))
    } catch (error) {
      setFault(faultOf(error))
    }
    setBusy(false)
  }
  return { busy, fault, given, give }
}

interface GivenParts {
  readonly given: GivenAgain
  readonly card: Card
  /** When the hospital's next root goes on chain, Unix seconds; null: nobody promised when. */
  readonly next: number | null
  readonly onCard: (card: Card) => void
}

function Given({ given: { receipt }, card, next, onCard }: GivenParts) {
  const t = useWords()
  const save = () => saveFile(receiptFileName(receipt), JSON.stringify(completeReceipt(receipt, card.secret), null, 2), 'application/json')
  return (
    <section aria-labelledby="again">
      <Notice mood="good" live>
        <h2 id="again">{t('again.done.title')}</h2>
        <p>{t('again.done', { date: t.date(receipt.grantedAt) })}</p>
        <p>{next === null ? t('again.counts') : t('again.counts.from', { date: t.date(next) })}</p>
      </Notice>
      <div class="buttons">
        <Action onPress={() => onCard(card)}>{t('card.open.new')}</Action>
        <Action kind="secondary outline" onPress={save}>
          {t('receipt.save')}
        </Action>
      </div>
    </section>
  )
}
